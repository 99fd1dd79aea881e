import { isUtf8 } from 'node:buffer';
import { OPEN_OBJECT } from './json-cursor.js';
import { JsonScanner } from './json-scanner.js';
import { MalformedJsonError } from './json.errors.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;

const scanner = new JsonScanner();

/**
 * Checks one JSON text in UTF-8 without building anything, for bytes that are only forwarded.
 * @throws MalformedJsonError, DeepJsonError
 */
export function checkJson(text: Buffer, maxDepth?: number): void {
  if (!isUtf8(text)) throw new MalformedJsonError('not UTF-8');
  scan(text, maxDepth);
}

/** Returns whether a payload is one JSON text in UTF-8, at most 512 levels deep. Every payload for a client of the JSON encoding must be. */
export function isJson(payload: Buffer): boolean {
  // Before the scan, so that no error is created for binary data.
  if (!isUtf8(payload)) return false;
  try {
    scan(payload);
    return true;
  } catch (error) {
    if (error instanceof MalformedJsonError) return false;
    throw error;
  }
}

/** Returns whether a payload is one JSON text, and that is an object. */
export function isJsonObject(payload: Buffer): boolean {
  return payload.find((byte) => byte > SPACE) === OPEN_OBJECT && isJson(payload);
}

function scan(text: Buffer, maxDepth?: number): void {
  scanner.start(text, 0, text.length, maxDepth);
  scanner.skip();
  scanner.finish();
}

/**
 * Returns the payload on one line, because a newline separates messages in the JSON encoding. An unescaped newline in
 * a JSON text is always between tokens, where it has no meaning. Everything else is kept verbatim.
 */
export function onOneLine(payload: Buffer): Buffer {
  if (!payload.includes(NEWLINE)) return payload;
  return payload.filter((byte) => byte !== NEWLINE) as Buffer;
}

/** Returns the members of a JSON object, each of them verbatim. If a key occurs twice, the last one counts. */
export function membersOf(json: Buffer): ReadonlyMap<string, Buffer> {
  if (!isUtf8(json)) throw new MalformedJsonError('not UTF-8');
  const members = new Map<string, Buffer>();
  scanner.start(json);
  if (scanner.enterObject()) {
    do members.set(scanner.readMapKey(), scanner.readRaw());
    while (scanner.nextMember());
  }
  scanner.finish();
  return members;
}
