import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COMMA,
  DOT,
  FALSE,
  JsonCursor,
  MINUS,
  NULL,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  TRUE,
  ZERO,
} from './json-cursor.js';
import type { KeyTable } from './key-table.js';

/**
 * Reads a JSON text piece by piece, without a tree of it in between: only what is asked for is built, and a payload is cut out
 * as it was spelled. Each method also throws where the value ahead is not of the type asked for.
 */
export class JsonScanner extends JsonCursor {
  /** Steps into an object; false where it is empty and already left behind. */
  enterObject(): boolean {
    return this.#enter(OPEN_OBJECT, CLOSE_OBJECT);
  }

  enterArray(): boolean {
    return this.#enter(OPEN_ARRAY, CLOSE_ARRAY);
  }

  /** After a member: true where another follows, false where the object ended. */
  nextMember(): boolean {
    return this.#next(CLOSE_OBJECT);
  }

  nextElement(): boolean {
    return this.#next(CLOSE_ARRAY);
  }

  /** A member's key and colon. Undefined for a key that is not in the table. */
  readKey<Entry extends { readonly key: string }>(keys: KeyTable<Entry>): Entry | undefined {
    const start = this.pos + 1;
    const escaped = this.passString();
    const end = this.pos - 1;
    this.passColon();
    if (!escaped) return keys.match(this.source, start, end);
    return keys.find(this.#unescape(start - 1, end + 1));
  }

  readMapKey(): string {
    const key = this.readString();
    this.passColon();
    return key;
  }

  readString(): string {
    const start = this.pos + 1;
    const escaped = this.passString();
    const end = this.pos - 1;
    this.skipSpace();
    return escaped ? this.#unescape(start - 1, end + 1) : this.source.toString('utf8', start, end);
  }

  readBool(): boolean {
    const value = this.byte() === TRUE[0];
    this.passWord(value ? TRUE : FALSE);
    this.skipSpace();
    return value;
  }

  /** True where a null was there, which is then left behind. */
  takeNull(): boolean {
    if (this.byte() !== NULL[0]) return false;
    this.passWord(NULL);
    this.skipSpace();
    return true;
  }

  /** A whole number without fraction or exponent. One beyond 2⁵³ loses its last digits. */
  readInteger(min: number, max: number): number {
    const negative = this.byte() === MINUS;
    if (negative) this.pos++;
    const first = this.pos;
    let value = 0;
    for (let digit = this.digit(); digit >= 0; digit = this.digit()) {
      value = value * 10 + digit;
      this.pos++;
    }
    const digits = this.pos - first;
    if (digits === 0 || (digits > 1 && this.source[first] === ZERO)) this.fail('not a number');
    if (negative) value = -value;
    const next = this.byte();
    if (next === DOT || (next | 0x20) === 0x65 || value < min || value > max) {
      this.fail('not a whole number in range');
    }
    this.skipSpace();
    return value;
  }

  /** As {@link readInteger}, or the same in quotes, in which some encoders put numbers that may exceed a double. */
  readQuotableInteger(min: number, max: number): number {
    if (this.byte() !== QUOTE) return this.readInteger(min, max);
    const value = this.readString();
    const number = /^-?(0|[1-9]\d*)$/.test(value) ? Number(value) : NaN;
    if (!(number >= min && number <= max)) this.fail('not a whole number in range');
    return number;
  }

  /** Any value as it was spelled: a view of the source. */
  readRaw(): Buffer {
    const start = this.pos;
    this.passValue();
    const end = this.pos;
    this.skipSpace();
    return this.source.subarray(start, end);
  }

  #enter(open: number, close: number): boolean {
    if (this.byte() !== open) this.fail('another type was expected');
    this.pos++;
    this.skipSpace();
    if (this.byte() !== close) return true;
    this.pos++;
    this.skipSpace();
    return false;
  }

  #next(close: number): boolean {
    const byte = this.byte();
    if (byte !== COMMA && byte !== close) this.fail('a comma or an end was expected');
    this.pos++;
    this.skipSpace();
    return byte === COMMA;
  }

  /** A lone surrogate cannot be written in UTF-8: it becomes U+FFFD. */
  #unescape(start: number, end: number): string {
    return (JSON.parse(this.source.toString('utf8', start, end)) as string).toWellFormed();
  }
}
