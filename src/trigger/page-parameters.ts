import { InvalidCursorError, InvalidLimitError } from './trigger.errors.js';

const MAX_LIMIT = 1000;
const DEFAULT_LIMIT = 100;
const MAX_CURSOR_LENGTH = 512;
/** Tells a cursor that was given out from any other text. */
const CURSOR_MARK = 'after ';

/** The store's cursor in a form that needs no escaping in a URL. */
export function writeCursor(next: string): string {
  return Buffer.from(CURSOR_MARK + next).toString('base64url');
}

/** @throws InvalidCursorError */
export function readCursor(text: string): string {
  const decoded = text.length > MAX_CURSOR_LENGTH ? '' : Buffer.from(text, 'base64url').toString('utf8');
  if (!decoded.startsWith(CURSOR_MARK))
    throw new InvalidCursorError('cursor must be the next of an earlier page');
  return decoded.slice(CURSOR_MARK.length);
}

/** @throws InvalidLimitError */
export function readLimit(text: string | undefined, absent = DEFAULT_LIMIT): number {
  if (text === undefined) return absent;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw new InvalidLimitError(`limit must be 1 to ${MAX_LIMIT}`);
  return limit;
}
