import { isUtf8 } from 'node:buffer';
import { MalformedError } from './errors.js';
import { JsonCursor, OPEN_OBJECT } from './json-cursor.js';

const NEWLINE = 0x0a;

const cursor = new JsonCursor();

/** Whether a payload is one JSON text, as everything must be that goes to a client of the JSON encoding. */
export function isJson(payload: Buffer): boolean {
  if (!isUtf8(payload)) return false;
  try {
    cursor.start(payload, 0, payload.length);
    cursor.skip();
    cursor.finish();
    return true;
  } catch (error) {
    if (error instanceof MalformedError) return false;
    throw error;
  }
}

export function isJsonObject(payload: Buffer): boolean {
  cursor.start(payload, 0, payload.length);
  return cursor.peek() === OPEN_OBJECT && isJson(payload);
}

/**
 * The payload on one line, as newline separates messages in the JSON encoding. In a JSON text a bare newline can only stand
 * between tokens, where it means nothing; everything else keeps its spelling.
 */
export function onOneLine(payload: Buffer): Buffer {
  if (!payload.includes(NEWLINE)) return payload;
  return payload.filter((byte) => byte !== NEWLINE) as Buffer;
}
