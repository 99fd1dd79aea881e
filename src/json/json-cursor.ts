import { DeepJsonError, MalformedJsonError } from './json.errors.js';

/** Maximum nesting depth of arrays and objects inside one value. Clients parse payloads recursively. */
const MAX_DEPTH = 512;

export const QUOTE = 0x22;
const BACKSLASH = 0x5c;
export const COMMA = 0x2c;
const COLON = 0x3a;
export const MINUS = 0x2d;
export const DOT = 0x2e;
export const ZERO = 0x30;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;

export const TRUE = Buffer.from('true');
export const FALSE = Buffer.from('false');
export const NULL = Buffer.from('null');
const ESCAPES = new Set(Buffer.from('"\\/bfnrt'));

/** A string is read four bytes at a time after this many bytes: for a short one that would not pay. */
const LONG_STRING = 256;

/** Bytes that are not escaped in a string. */
const isPlain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/**
 * Passes plain bytes of a string, four at a time. The three bytes before `start` have to be plain too. Returns a position at most three
 * bytes before the first byte that is not plain.
 */
function passPlainWords(source: Buffer, start: number, end: number): number {
  const words = new Int32Array(source.buffer, 0, source.buffer.byteLength >> 2);
  const last = (source.byteOffset + end) >> 2;
  let at = (source.byteOffset + start) >> 2;
  for (; at < last; at++) {
    const word = words[at]!;
    const quotes = word ^ 0x22222222;
    const backslashes = word ^ 0x5c5c5c5c;
    // Whether a byte is less than 0x20, and whether one is 0: https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord
    const special =
      ((word - 0x20202020) & ~word) |
      ((quotes - 0x01010101) & ~quotes) |
      ((backslashes - 0x01010101) & ~backslashes);
    if ((special & 0x80808080) !== 0) break;
  }
  return (at << 2) - source.byteOffset;
}

/** The open containers. Shared by all scanners, because a scan never yields. */
const stack = new Uint8Array(MAX_DEPTH);

/**
 * Moves over one JSON text (RFC 8259) in UTF-8 bytes. It checks everything that it passes, and builds nothing. Each
 * method throws {@link MalformedJsonError} if the text is not JSON. The caller checks whether the bytes are valid
 * UTF-8.
 */
export class JsonCursor {
  protected pos = 0;
  protected source: Buffer = NULL;
  protected end = 0;
  #maxDepth = MAX_DEPTH;

  /** Starts at the first value of `source[start..end)`. No value in it may nest deeper than `maxDepth`. */
  start(source: Buffer, start = 0, end = source.length, maxDepth = MAX_DEPTH): void {
    this.source = source;
    this.pos = start;
    this.end = end;
    this.#maxDepth = Math.min(maxDepth, MAX_DEPTH);
    this.skipSpace();
  }

  get atEnd(): boolean {
    return this.pos >= this.end;
  }

  /** True if nothing is left. */
  finish(): void {
    if (!this.atEnd) this.fail('text after the end');
  }

  /** Skips a value and the white space after it. */
  skip(): void {
    this.passValue();
    this.skipSpace();
  }

  protected byte(): number {
    return this.pos < this.end ? this.source[this.pos]! : -1;
  }

  protected digit(): number {
    const value = this.byte() - ZERO;
    return value <= 9 ? value : -1;
  }

  protected skipSpace(): void {
    for (let byte = this.byte(); byte <= 0x20; byte = this.byte()) {
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.pos++;
    }
  }

  protected passColon(): void {
    this.skipSpace();
    if (this.byte() !== COLON) this.fail('a colon was expected');
    this.pos++;
    this.skipSpace();
  }

  protected passWord(word: Buffer): void {
    for (let i = 0; i < word.length; i++) {
      if (this.byte() !== word[i]) this.fail('not a JSON value');
      this.pos++;
    }
  }

  /** Returns whether the string contains escapes. */
  protected passString(): boolean {
    if (this.byte() !== QUOTE) this.fail('a string was expected');
    const source = this.source;
    let escaped = false;
    let pos = this.pos + 1;
    for (;;) {
      const near = pos + LONG_STRING;
      while (isPlain[source[pos]!] === 1 && pos < near) pos++;
      if (pos === near) pos = passPlainWords(source, pos, this.end);
      while (isPlain[source[pos]!] === 1) pos++;
      if (pos >= this.end || source[pos]! < 0x20) return this.fail('a string without end');
      if (source[pos] === QUOTE) break;
      escaped = true;
      pos += 1 + this.#escapeLength(pos + 1);
    }
    this.pos = pos + 1;
    return escaped;
  }

  #escapeLength(pos: number): number {
    const kind = pos < this.end ? this.source[pos]! : -1;
    if (ESCAPES.has(kind)) return 1;
    if (kind !== 0x75) this.fail('an unknown escape');
    for (let i = pos + 1; i <= pos + 4; i++) {
      const byte = i < this.end ? this.source[i]! : -1;
      const letter = byte | 0x20;
      if (!(byte >= ZERO && byte <= 0x39) && !(letter >= 0x61 && letter <= 0x66)) this.fail('a bad escape');
    }
    return 5;
  }

  #passNumber(): void {
    if (this.byte() === MINUS) this.pos++;
    if (this.byte() === ZERO) this.pos++;
    else this.#passDigits();
    if (this.byte() === DOT) {
      this.pos++;
      this.#passDigits();
    }
    if ((this.byte() | 0x20) === 0x65) {
      this.pos++;
      if (this.byte() === MINUS || this.byte() === 0x2b) this.pos++;
      this.#passDigits();
    }
  }

  #passDigits(): void {
    if (this.digit() < 0) this.fail('not a JSON value');
    while (this.digit() >= 0) this.pos++;
  }

  #passScalar(): void {
    switch (this.byte()) {
      case QUOTE:
        this.passString();
        return;
      case 0x74:
        return this.passWord(TRUE);
      case 0x66:
        return this.passWord(FALSE);
      case 0x6e:
        return this.passWord(NULL);
      default:
        return this.#passNumber();
    }
  }

  /** Does not use recursion, so that no nesting can exhaust the call stack. */
  protected passValue(): void {
    let depth = 0;
    for (;;) {
      const byte = this.byte();
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (depth === this.#maxDepth) throw new DeepJsonError(`nested deeper than ${depth} levels`);
        stack[depth++] = byte + 2;
        this.pos++;
        this.skipSpace();
        if (this.byte() !== byte + 2) {
          if (byte === OPEN_OBJECT) this.#passKey();
          continue;
        }
        this.pos++;
        depth--;
      } else {
        this.#passScalar();
      }
      depth = this.#passEnds(depth);
      if (depth === 0) return;
    }
  }

  /** Called after a value: leaves the containers that end here, and stops before the next value. */
  #passEnds(depth: number): number {
    while (depth > 0) {
      this.skipSpace();
      const close = stack[depth - 1]!;
      const byte = this.byte();
      if (byte !== COMMA && byte !== close) this.fail('a comma or an end was expected');
      this.pos++;
      if (byte === COMMA) {
        this.skipSpace();
        if (close === CLOSE_OBJECT) this.#passKey();
        return depth;
      }
      depth--;
    }
    return 0;
  }

  #passKey(): void {
    this.passString();
    this.passColon();
  }

  protected fail(reason: string): never {
    throw new MalformedJsonError(reason, this.pos);
  }
}
