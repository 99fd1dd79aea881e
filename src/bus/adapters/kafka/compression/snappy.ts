import { DecompressionError, Output } from './output.js';

/** How the stream format of snappy-java begins, which Kafka's Java clients and brokers use. */
const STREAM_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const STREAM_HEADER_BYTES = 16;

/**
 * Decompresses Snappy: a block, or the stream format of snappy-java, which consists of blocks with their lengths.
 *
 * @throws {DecompressionError}
 */
export function decompressSnappy(source: Buffer, maxLength: number): Buffer {
  const output = new Output(source.length, maxLength);
  if (!source.subarray(0, STREAM_MAGIC.length).equals(STREAM_MAGIC)) appendBlock(source, output);
  else
    for (let at = STREAM_HEADER_BYTES; at < source.length;) {
      if (at + 4 > source.length) throw tooShort();
      const end = at + 4 + source.readUInt32BE(at);
      if (end > source.length) throw tooShort();
      appendBlock(source.subarray(at + 4, end), output);
      at = end;
    }
  return output.bytes;
}

function appendBlock(source: Buffer, output: Output): void {
  const before = output.length;
  let at = 0;
  // The block begins with its length as a variable-length integer of at most 5 bytes.
  let expected = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = source[at++];
    if (byte === undefined || shift > 28) throw tooShort();
    expected += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  while (at < source.length) {
    const tag = source[at++] ?? 0;
    const kind = tag & 3;
    if (kind === 0) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const bytes = length - 60;
        length = littleEndian(source, at, bytes) + 1;
        at += bytes;
      }
      output.append(source, at, length);
      at += length;
    } else if (kind === 1) {
      output.repeat(((tag >>> 5) << 8) | littleEndian(source, at, 1), ((tag >>> 2) & 7) + 4);
      at += 1;
    } else {
      const bytes = kind === 2 ? 2 : 4;
      output.repeat(littleEndian(source, at, bytes), (tag >>> 2) + 1);
      at += bytes;
    }
  }
  if (output.length - before !== expected)
    throw new DecompressionError('a Snappy block does not have the length that it names');
}

function littleEndian(source: Buffer, at: number, bytes: number): number {
  if (at + bytes > source.length) throw tooShort();
  return source.readUIntLE(at, bytes);
}

function tooShort(): DecompressionError {
  return new DecompressionError('the Snappy data end too early');
}
