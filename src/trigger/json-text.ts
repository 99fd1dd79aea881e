import { isUtf8 } from 'node:buffer';
import { EmptyBodyError, InvalidJsonError, InvalidUtf8Error, JsonTooDeepError } from './trigger.errors.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Reads bytes as one JSON text (RFC 8259). Callers that only forward a body drop the result: it is the bytes that travel.
 * @throws EmptyBodyError, InvalidUtf8Error, JsonTooDeepError, InvalidJsonError
 */
export function parseJson(bytes: Buffer, maxDepth: number): unknown {
  if (bytes.length === 0) throw new EmptyBodyError('the body is empty; it is the JSON that is to arrive');
  if (!isUtf8(bytes)) throw new InvalidUtf8Error('the body is not valid UTF-8');
  // Before the parser, so that a hostile nesting costs one pass over the bytes and no memory.
  if (isDeeperThan(bytes, maxDepth))
    throw new JsonTooDeepError(`the JSON is nested deeper than ${maxDepth} levels`);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new InvalidJsonError('the body is not valid JSON', { cause });
  }
}

function isDeeperThan(bytes: Buffer, maxDepth: number): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++depth > maxDepth) return true;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
        break;
      case QUOTE:
        at = endOfString(bytes, at + 1);
        break;
    }
  }
  return false;
}

/** The place of the closing quote, or the end of bytes that lack one. */
function endOfString(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
