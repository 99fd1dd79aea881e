import type { Command, CommandOf, Method } from './commands.js';
import { MalformedError } from '../centrifugo.errors.js';

const PONG: Command = { id: 0, method: 'pong', request: undefined };

/** Builds a command from its fields. `method` is the first request that the command has, if any. */
export function commandOf(id: number, method: Method | undefined, request: object | undefined): Command {
  if (id === 0 && method !== 'send') return PONG;
  if (method === undefined) throw new MalformedError('a command without a known request');
  return { id, method, request } as CommandOf<Method> as Command;
}
