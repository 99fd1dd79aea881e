import { hash } from 'node:crypto';
import { InvalidCursorError, InvalidLimitError } from '../http.errors.js';

const MAX_LIMIT = 1000;
const DEFAULT_LIMIT = 100;
const MAX_CURSOR_LENGTH = 512;
/** Of base64url. */
const SEAL_LENGTH = 12;

/**
 * The store's cursor in a form that needs no escaping in a URL.
 * @param list names the list that is given out by the page
 */
export function writeCursor(list: string, next: string): string {
  return sealOf(list, next) + Buffer.from(next).toString('base64url');
}

/** @throws InvalidCursorError for text that {@link writeCursor} did not make for this list */
export function readCursor(list: string, text: string): string {
  const next = Buffer.from(text.slice(SEAL_LENGTH), 'base64url').toString('utf8');
  if (text.length > MAX_CURSOR_LENGTH || text !== writeCursor(list, next))
    throw new InvalidCursorError('cursor must be the next of an earlier page');
  return next;
}

/** Tells a cursor that was given out from one that was cut, made up, or meant for another list. It is no secret. */
function sealOf(list: string, next: string): string {
  return hash('sha256', `${list} ${next}`, 'base64url').slice(0, SEAL_LENGTH);
}

/** @throws InvalidLimitError */
export function readLimit(text: string | undefined, absent = DEFAULT_LIMIT): number {
  if (text === undefined) return absent;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw new InvalidLimitError(`limit must be 1 to ${MAX_LIMIT}`);
  return limit;
}
