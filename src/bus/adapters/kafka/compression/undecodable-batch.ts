import { undecodableHeader } from '../../../../message/index.js';

/** The header of a record batch in format 2, from its base offset to the number of its records. */
const HEADER_BYTES = 61;
const MAGIC_AT = 16;
const MAGIC = 2;
/** More records than any producer puts into a batch. */
const MAX_RECORDS = 1_000_000;

/**
 * Returns records in the place of those of a batch that cannot be decompressed, so that the group dead-letters them instead of
 * stopping at them for ever. They have the offsets of the batch and no body, except the first one, which has the compressed bytes.
 * Returns undefined if the batch has an old format or is malformed.
 *
 * @param compressed a view of the batch as kafkajs received it: the header of the batch is in front of it
 */
export function undecodableBatch(compressed: Buffer, reason: string): Buffer | undefined {
  if (compressed.byteOffset < HEADER_BYTES) return undefined;
  const header = Buffer.from(compressed.buffer, compressed.byteOffset - HEADER_BYTES, HEADER_BYTES);
  const count = header.readInt32BE(HEADER_BYTES - 4);
  const isWhole = header.readInt32BE(8) === compressed.length + HEADER_BYTES - 12;
  if (header[MAGIC_AT] !== MAGIC || !isWhole || count < 1 || count > MAX_RECORDS) return undefined;
  const headers = Buffer.concat([
    varint(1),
    bytes(Buffer.from(undecodableHeader)),
    bytes(Buffer.from(reason)),
  ]);
  return Buffer.concat(
    Array.from({ length: count }, (_, at) => {
      const value = at === 0 ? compressed : Buffer.alloc(0);
      // Attributes, time since the first record, offset since the first record, no key, the body and the headers.
      const record = Buffer.concat([Buffer.of(0, 0), varint(at), varint(-1), bytes(value), headers]);
      return bytes(record);
    }),
  );
}

function bytes(content: Buffer): Buffer {
  return Buffer.concat([varint(content.length), content]);
}

/** Encodes an integer in zigzag form with 7 bits per byte. */
function varint(value: number): Buffer {
  const encoded: number[] = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) encoded.push((rest % 0x80) | 0x80);
  return Buffer.from([...encoded, rest]);
}
