import { isUtf8 } from 'node:buffer';
import { MalformedError } from './errors.js';
import { JsonScanner } from './json-scanner.js';

const NEWLINE = 0x0a;

const scanner = new JsonScanner();

/** Whether a payload is one JSON text, as everything must be that goes to a client of the JSON encoding. */
export function isJson(payload: Buffer): boolean {
  if (!isUtf8(payload)) return false;
  try {
    scanner.start(payload, 0, payload.length);
    scanner.skip();
    scanner.finish();
    return true;
  } catch (error) {
    if (error instanceof MalformedError) return false;
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
  if (!isUtf8(json)) throw new MalformedError('not UTF-8');
  const members = new Map<string, Buffer>();
  scanner.start(json, 0, json.length);
  if (scanner.enterObject()) {
    do members.set(scanner.readMapKey(), scanner.readRaw());
    while (scanner.nextMember());
  }
  scanner.finish();
  return members;
}
