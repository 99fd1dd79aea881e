import { DecompressionError, Output } from './output.js';

const MAGIC = 0x184d2204;
const VERSION_MASK = 0xc0;
const VERSION = 0x40;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const DICTIONARY = 0x01;
const IS_UNCOMPRESSED = 0x80000000;
const MIN_MATCH = 4;

/**
 * Decompresses an LZ4 frame. Checksums are not verified: the broker has verified the records that it stores.
 *
 * @throws {DecompressionError}
 */
export function decompressLz4(source: Buffer, maxLength: number): Buffer {
  const output = new Output(source.length, maxLength);
  if (source.length < 7 || source.readUInt32LE() !== MAGIC) throw new DecompressionError('not an LZ4 frame');
  const flags = source[4] ?? 0;
  if ((flags & VERSION_MASK) !== VERSION) throw new DecompressionError('unknown version of an LZ4 frame');
  let at = 7 + (flags & CONTENT_SIZE ? 8 : 0) + (flags & DICTIONARY ? 4 : 0);
  for (;;) {
    if (at + 4 > source.length) throw tooShort();
    const size = source.readUInt32LE(at);
    at += 4;
    if (size === 0) return output.bytes;
    const length = size % IS_UNCOMPRESSED;
    if (at + length > source.length) throw tooShort();
    if (size >= IS_UNCOMPRESSED) output.append(source, at, length);
    else appendBlock(source.subarray(at, at + length), output);
    at += length + (flags & BLOCK_CHECKSUM ? 4 : 0);
  }
}

/** A block is a list of sequences: literals, then a repetition of earlier bytes. The last sequence has only literals. */
function appendBlock(source: Buffer, output: Output): void {
  for (let at = 0; at < source.length;) {
    const token = source[at++] ?? 0;
    const literals = lengthAt(source, at, token >>> 4);
    at = literals.next;
    output.append(source, at, literals.length);
    at += literals.length;
    if (at >= source.length) return;
    if (at + 2 > source.length) throw tooShort();
    const distance = source.readUInt16LE(at);
    const match = lengthAt(source, at + 2, token & 15);
    at = match.next;
    output.repeat(distance, match.length + MIN_MATCH);
  }
}

/** Reads a length: 4 bits of the token, and if all of them are set, further bytes up to the first that is not 255. */
function lengthAt(source: Buffer, at: number, bits: number): { length: number; next: number } {
  let length = bits;
  let next = at;
  for (let byte = bits === 15 ? 255 : 0; byte === 255;) {
    const read = source[next++];
    if (read === undefined) throw tooShort();
    byte = read;
    length += read;
  }
  return { length, next };
}

function tooShort(): DecompressionError {
  return new DecompressionError('the LZ4 data end too early');
}
