import type { Command, CommandOf, Method } from './commands.js';
import { MalformedError } from '../centrifugo.errors.js';

/** How deep messages may be nested. Only a tags filter can be nested without a limit of its own. */
export const MAX_MESSAGE_DEPTH = 64;

const PONG: Command = { id: 0, method: 'pong', request: undefined };

/** Builds a command from its fields. `method` is the first request that the command has, if any. */
export function commandOf(id: number, method: Method | undefined, request: object | undefined): Command {
  if (id === 0 && method !== 'send') return PONG;
  if (method === undefined) throw new MalformedError('a command without a known request');
  return { id, method, request } as CommandOf<Method> as Command;
}

/** Limits a number to ±(2⁵³-1). Larger offsets and masks do not exist, so that the nearest exact number is good enough. */
export function clamp(value: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER));
}
