import { EPOCH_LENGTH } from '../history/epoch.js';
import { BLOB_LENGTH_BYTES, ByteReader, LENGTH_BYTES, TIME_BYTES, writeText } from './byte-reader.js';
import { encodeExtras, readExtras, type Extras } from './publication-extras.js';
import { LANES, Publication, type PublicationFields } from './publication.js';

/**
 * The form of a publication between processes. Numbers are unsigned and big-endian. Times are Unix times in ms.
 *
 * ```
 * offset  bytes
 *      0      1  version, 1
 *      1      1  flags: 1 id · 2 due time · 4 expiry · 8 binary data, not JSON · 16…48 index of the lane ·
 *                64 extras
 *      2      4  offset of the data; fields that a later version adds before it are skipped
 *      6      6  created at
 *     12      6  due at          (if flagged)
 *              6  expires at      (if flagged)
 *              2  length of the id, then the id in UTF-8           (if flagged)
 *              2  length of the channel, then the channel in UTF-8
 *                 extras, see `publication-extras.ts`                 (if flagged)
 *              …  data, to the end
 * ```
 *
 * If the publication is in the history, the store puts its position before the envelope:
 *
 * ```
 *      0      1  128
 *      1      6  offset in the history
 *      7      8  epoch
 *     15      4  length of the data of the previous publication, or 0; then these data
 * ```
 *
 * Several publications of one channel in one message, each with or without its position:
 *
 * ```
 *      0      1  129
 *                 4  length of the first; then the first; and so on
 * ```
 */
const VERSION = 1;
const HAS_ID = 1;
const HAS_DUE_AT = 2;
const HAS_EXPIRES_AT = 4;
const IS_BINARY = 8;
const LANE_SHIFT = 4;
const LANE_MASK = 3;
const HAS_EXTRAS = 64;
const FIXED_BYTES = 12;

const WITH_POSITION = 128;
const SEVERAL = 129;
const EPOCH_AT = 1 + TIME_BYTES;
const PREVIOUS_AT = EPOCH_AT + EPOCH_LENGTH;

/**
 * @throws RangeError if the id, the channel, the user or the client id is longer than 65535 bytes, or a time is not a
 *   Unix time in ms
 */
export function encodePublication(publication: Publication): Buffer {
  const { id, channel, data, dueAt, expiresAt } = publication;
  const idBytes = id === undefined ? 0 : LENGTH_BYTES + Buffer.byteLength(id);
  const extras = encodeExtras(publication);
  const dataOffset =
    FIXED_BYTES +
    (extras?.length ?? 0) +
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
    (extras === undefined ? 0 : HAS_EXTRAS) |
    (LANES.indexOf(publication.lane) << LANE_SHIFT);
  envelope.writeUInt32BE(dataOffset, 2);
  let offset = envelope.writeUIntBE(publication.createdAt, 6, TIME_BYTES);
  if (dueAt !== undefined) offset = envelope.writeUIntBE(dueAt, offset, TIME_BYTES);
  if (expiresAt !== undefined) offset = envelope.writeUIntBE(expiresAt, offset, TIME_BYTES);
  if (id !== undefined) offset = writeText(envelope, id, offset);
  offset = writeText(envelope, channel, offset);
  if (extras !== undefined) envelope.set(extras, offset);
  envelope.set(data, dataOffset);
  return envelope;
}

/**
 * Reads what {@link encodePublication} wrote, with or without a position before it. Returns undefined for anything
 * else. The data and the client info are views of the envelope.
 */
export function decodePublication(bytes: Buffer): Publication | undefined {
  if (bytes[0] !== WITH_POSITION) return decodeEnvelope(bytes, NOT_IN_HISTORY);
  if (bytes.length < PREVIOUS_AT + 4) return undefined;
  const previousStart = PREVIOUS_AT + 4;
  const previousEnd = previousStart + bytes.readUInt32BE(PREVIOUS_AT);
  return decodeEnvelope(bytes.subarray(previousEnd), {
    offset: bytes.readUIntBE(1, TIME_BYTES),
    epoch: bytes.toString('latin1', EPOCH_AT, PREVIOUS_AT),
    previous: previousEnd > previousStart ? bytes.subarray(previousStart, previousEnd) : undefined,
  });
}

/** Returns a message with all of the envelopes. */
export function joinEnvelopes(envelopes: readonly Buffer[]): Buffer {
  if (envelopes.length === 1) return envelopes[0]!;
  const bytes = envelopes.reduce((sum, { length }) => sum + BLOB_LENGTH_BYTES + length, 1);
  const message = Buffer.allocUnsafe(bytes);
  let offset = message.writeUInt8(SEVERAL, 0);
  for (const envelope of envelopes) {
    offset = message.writeUInt32BE(envelope.length, offset);
    message.set(envelope, offset);
    offset += envelope.length;
  }
  return message;
}

/** Returns the envelopes of a message, as views of it. If the message is truncated, the last one is empty. */
export function envelopesIn(message: Buffer): readonly Buffer[] {
  if (message[0] !== SEVERAL) return [message];
  const envelopes: Buffer[] = [];
  const reader = new ByteReader(message, 1, message.length);
  do envelopes.push(reader.blob());
  while (reader.hasMore);
  return envelopes;
}

type HistoryFields = Pick<PublicationFields, 'offset' | 'epoch' | 'previous'>;

const NOT_IN_HISTORY: HistoryFields = {};
const NO_EXTRAS: Extras = {};

function decodeEnvelope(
  envelope: Buffer,
  { offset, epoch, previous }: HistoryFields,
): Publication | undefined {
  if (envelope.length < FIXED_BYTES + LENGTH_BYTES || envelope[0] !== VERSION) return undefined;
  const flags = envelope[1]!;
  const lane = LANES[(flags >> LANE_SHIFT) & LANE_MASK];
  const dataOffset = envelope.readUInt32BE(2);
  if (lane === undefined || dataOffset > envelope.length) return undefined;
  const header = new ByteReader(envelope, FIXED_BYTES, dataOffset);
  const createdAt = envelope.readUIntBE(6, TIME_BYTES);
  const dueAt = flags & HAS_DUE_AT ? header.time() : undefined;
  const expiresAt = flags & HAS_EXPIRES_AT ? header.time() : undefined;
  const id = flags & HAS_ID ? header.text() : undefined;
  const channel = header.text();
  const extras = flags & HAS_EXTRAS ? readExtras(header) : NO_EXTRAS;
  if (header.overrun || extras === undefined) return undefined;
  const format = flags & IS_BINARY ? 'binary' : 'json';
  const { kind, tags, info, delta } = extras;
  const data = envelope.subarray(dataOffset);
  return new Publication({
    channel,
    data,
    format,
    id,
    createdAt,
    dueAt,
    lane,
    expiresAt,
    kind,
    tags,
    info,
    delta,
    offset,
    epoch,
    previous,
  });
}
