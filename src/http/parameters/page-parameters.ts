import { hash } from 'node:crypto';
import { InvalidCursorError, InvalidLimitError } from '../http.errors.js';

const MAX_LIMIT = 1000;
const DEFAULT_LIMIT = 100;
const MAX_CURSOR_LENGTH = 512;
/** In characters of base64url. */
const CHECKSUM_LENGTH = 12;

/**
 * Returns the store's cursor in a form that needs no escaping in a URL.
 * @param list the name of the list that has pages
 */
export function writeCursor(list: string, next: string): string {
  return checksumOf(list, next) + Buffer.from(next).toString('base64url');
}

/** @throws InvalidCursorError if {@link writeCursor} did not return this text for this list */
export function readCursor(list: string, text: string): string {
  const next = Buffer.from(text.slice(CHECKSUM_LENGTH), 'base64url').toString('utf8');
  if (text.length > MAX_CURSOR_LENGTH || text !== writeCursor(list, next))
    throw new InvalidCursorError('cursor must be the value of next in an earlier page of this list');
  return next;
}

/** Detects cursors that are incomplete, invented or from another list. It is not a secret. */
function checksumOf(list: string, next: string): string {
  return hash('sha256', `${list} ${next}`, 'base64url').slice(0, CHECKSUM_LENGTH);
}

/** @throws InvalidLimitError */
export function readLimit(text: string | undefined, absent = DEFAULT_LIMIT): number {
  if (text === undefined) return absent;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT)
    throw new InvalidLimitError(`limit must be a whole number from 1 to ${MAX_LIMIT}`);
  return limit;
}
