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
 * Reads a JSON text piece by piece, without an intermediate tree: only the requested values are built, and payloads
 * are returned verbatim. Each method also throws if the next value does not have the requested type.
 */
export class JsonScanner extends JsonCursor {
  /** Enters an object. Returns false if it is empty; then it has been passed already. */
  enterObject(): boolean {
    return this.#enter(OPEN_OBJECT, CLOSE_OBJECT);
  }

  enterArray(): boolean {
    return this.#enter(OPEN_ARRAY, CLOSE_ARRAY);
  }

  /** Called after a member. Returns true if another one follows, false if the object has ended. */
  nextMember(): boolean {
    return this.#next(CLOSE_OBJECT);
  }

  nextElement(): boolean {
    return this.#next(CLOSE_ARRAY);
  }

  /** Reads the key and the colon of a member. Returns undefined if the key is not in the table. */
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

  /** Passes a null. Returns false if the next value is something else. */
  takeNull(): boolean {
    if (this.byte() !== NULL[0]) return false;
    this.passWord(NULL);
    this.skipSpace();
    return true;
  }

  /** Reads a whole number without fraction or exponent. A number above 2⁵³ loses its last digits. */
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

  /** Like {@link readInteger}, but the number may be quoted: some encoders quote numbers that may exceed a double. */
  readQuotableInteger(min: number, max: number): number {
    if (this.byte() !== QUOTE) return this.readInteger(min, max);
    const value = this.readString();
    const number = /^-?(0|[1-9]\d*)$/.test(value) ? Number(value) : NaN;
    if (!(number >= min && number <= max)) this.fail('not a whole number in range');
    return number;
  }

  /** Returns the next value verbatim, as a view of the source. */
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

  /** A lone surrogate cannot be encoded in UTF-8. It becomes U+FFFD. */
  #unescape(start: number, end: number): string {
    return (JSON.parse(this.source.toString('utf8', start, end)) as string).toWellFormed();
  }
}
