import { LANES, Publication } from './publication.js';

/**
 * The form in which a publication travels between processes. Numbers are unsigned and big-endian; times are Unix ms.
 *
 * ```
 * offset  bytes
 *      0      1  version, 1
 *      1      1  flags: 1 id · 2 due time · 4 expiry · 8 data are bytes, not JSON · 16…48 index of the lane
 *      2      4  offset of the data: whatever a later writer adds before it is skipped
 *      6      6  created at
 *     12      6  due at          (if flagged)
 *              6  expires at      (if flagged)
 *              2  length of the id, then the id in UTF-8           (if flagged)
 *              2  length of the channel, then the channel in UTF-8
 *              …  data, to the end
 * ```
 */
const VERSION = 1;
const HAS_ID = 1;
const HAS_DUE_AT = 2;
const HAS_EXPIRES_AT = 4;
const IS_BINARY = 8;
const LANE_SHIFT = 4;
const LANE_MASK = 3;
const FIXED_BYTES = 12;
const TIME_BYTES = 6;
const LENGTH_BYTES = 2;

/** @throws RangeError when the id or the channel is longer than 65535 bytes, or a time is not a Unix time in ms */
export function encodePublication(publication: Publication): Buffer {
  const { id, channel, data, dueAt, expiresAt } = publication;
  const idBytes = id === undefined ? 0 : LENGTH_BYTES + Buffer.byteLength(id);
  const dataOffset =
    FIXED_BYTES +
    (dueAt === undefined ? 0 : TIME_BYTES) +
    (expiresAt === undefined ? 0 : TIME_BYTES) +
    idBytes +
    LENGTH_BYTES +
    Buffer.byteLength(channel);
  const envelope = Buffer.allocUnsafe(dataOffset + data.length);
  envelope[0] = VERSION;
  envelope[1] =
    (id === undefined ? 0 : HAS_ID) |
    (dueAt === undefined ? 0 : HAS_DUE_AT) |
    (expiresAt === undefined ? 0 : HAS_EXPIRES_AT) |
    (publication.format === 'binary' ? IS_BINARY : 0) |
    (LANES.indexOf(publication.lane) << LANE_SHIFT);
  envelope.writeUInt32BE(dataOffset, 2);
  let offset = envelope.writeUIntBE(publication.createdAt, 6, TIME_BYTES);
  if (dueAt !== undefined) offset = envelope.writeUIntBE(dueAt, offset, TIME_BYTES);
  if (expiresAt !== undefined) offset = envelope.writeUIntBE(expiresAt, offset, TIME_BYTES);
  if (id !== undefined) offset = writeText(envelope, id, offset);
  offset = writeText(envelope, channel, offset);
  envelope.set(data, offset);
  return envelope;
}

/** Reads what {@link encodePublication} wrote; `undefined` for anything else. The data are a view of the envelope. */
export function decodePublication(envelope: Buffer): Publication | undefined {
  if (envelope.length < FIXED_BYTES + LENGTH_BYTES || envelope[0] !== VERSION) return undefined;
  const flags = envelope[1]!;
  const lane = LANES[(flags >> LANE_SHIFT) & LANE_MASK];
  const dataOffset = envelope.readUInt32BE(2);
  if (lane === undefined || dataOffset > envelope.length) return undefined;
  const header = new HeaderReader(envelope, FIXED_BYTES, dataOffset);
  const createdAt = envelope.readUIntBE(6, TIME_BYTES);
  const dueAt = flags & HAS_DUE_AT ? header.time() : undefined;
  const expiresAt = flags & HAS_EXPIRES_AT ? header.time() : undefined;
  const id = flags & HAS_ID ? header.text() : undefined;
  const channel = header.text();
  if (header.overrun) return undefined;
  const format = flags & IS_BINARY ? 'binary' : 'json';
  return new Publication(
    channel,
    envelope.subarray(dataOffset),
    format,
    id,
    createdAt,
    dueAt,
    lane,
    expiresAt,
  );
}

function writeText(envelope: Buffer, text: string, offset: number): number {
  const written = envelope.write(text, offset + LENGTH_BYTES);
  envelope.writeUInt16BE(written, offset);
  return offset + LENGTH_BYTES + written;
}

/** Reads forward up to `end`; past it everything reads as empty and `overrun` is set. */
class HeaderReader {
  overrun = false;

  constructor(
    private readonly bytes: Buffer,
    private offset: number,
    private readonly end: number,
  ) {}

  time(): number {
    const start = this.#take(TIME_BYTES);
    return this.overrun ? 0 : this.bytes.readUIntBE(start, TIME_BYTES);
  }

  text(): string {
    const start = this.#take(LENGTH_BYTES);
    if (this.overrun) return '';
    const textStart = this.#take(this.bytes.readUInt16BE(start));
    return this.overrun ? '' : this.bytes.toString('utf8', textStart, this.offset);
  }

  #take(count: number): number {
    const start = this.offset;
    if (start + count > this.end) this.overrun = true;
    else this.offset += count;
    return start;
  }
}
