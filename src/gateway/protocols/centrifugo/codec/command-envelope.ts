import type { Command, CommandOf, Method } from './commands.js';
import { MalformedError } from '../centrifugo.errors.js';

/** How deep messages may nest in each other: a tags filter is the only one that nests at will. */
export const MAX_MESSAGE_DEPTH = 64;

const PONG: Command = { id: 0, method: 'pong', request: undefined };

/** What the fields of a command amount to. `method` is the first request present, if any. */
export function commandOf(id: number, method: Method | undefined, request: object | undefined): Command {
  if (id === 0 && method !== 'send') return PONG;
  if (method === undefined) throw new MalformedError('a command without a known request');
  return { id, method, request } as CommandOf<Method> as Command;
}

/** Offsets and masks beyond 2⁵³ name nothing that exists: the nearest exact number serves as well. */
export function clamp(value: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER));
}
