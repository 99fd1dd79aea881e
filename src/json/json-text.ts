import { isUtf8 } from 'node:buffer';
import { JsonScanner } from './json-scanner.js';
import { MalformedJsonError } from './json.errors.js';

const NEWLINE = 0x0a;

const scanner = new JsonScanner();

/**
 * Passes over one JSON text in UTF-8 and builds nothing, for bytes that are only forwarded.
 * @throws MalformedJsonError, DeepJsonError
 */
export function checkJson(text: Buffer, maxDepth?: number): void {
  if (!isUtf8(text)) throw new MalformedJsonError('not UTF-8');
  scanner.start(text, 0, text.length, maxDepth);
  scanner.skip();
  scanner.finish();
}

/** Whether a payload is one JSON text, as everything must be that goes to a client of the JSON encoding. */
export function isJson(payload: Buffer): boolean {
  try {
    checkJson(payload);
    return true;
  } catch (error) {
    if (error instanceof MalformedJsonError) return false;
    throw error;
  }
}

/**
 * The payload on one line, as newline separates messages in the JSON encoding. In a JSON text a bare newline can only stand
 * between tokens, where it means nothing; everything else keeps its spelling.
 */
export function onOneLine(payload: Buffer): Buffer {
  if (!payload.includes(NEWLINE)) return payload;
  return payload.filter((byte) => byte !== NEWLINE) as Buffer;
}

/** The members of a JSON object, each as it was spelled. Of two with one key the last counts. */
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
