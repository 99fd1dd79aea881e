import type { MessageExtension, ScheduledMessage } from './message.js';

/** The fields that a store keeps outside the bytes, because it finds messages by them or changes them. */
export type MessageIndex = Pick<ScheduledMessage, 'id' | 'channel' | 'dueAt'>;

type StoredHeader = Omit<ScheduledMessage, keyof MessageIndex | 'data'>;

/** The form in which a store keeps a message, apart from its {@link MessageIndex}. */
export function toBytes(message: ScheduledMessage): Buffer {
  const { id: _id, channel: _channel, dueAt: _dueAt, data, ...header } = message;
  return frame(header, data);
}

export function fromBytes({ id, channel, dueAt }: MessageIndex, bytes: Uint8Array): ScheduledMessage {
  const { header, body } = unframe(bytes);
  const { format, createdAt, name, tags, key, expiresAt, traceparent, extension, ...others } =
    header as StoredHeader;
  const added = extension ?? toExtension(others);
  return {
    id,
    channel,
    data: body,
    format,
    createdAt,
    dueAt,
    ...(name === undefined ? {} : { name }),
    ...(tags === undefined ? {} : { tags }),
    ...(key === undefined ? {} : { key }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(added === undefined ? {} : { extension: added }),
  };
}

/** An earlier version stored the fields of an extension among those of the message. */
function toExtension(others: Readonly<Record<string, unknown>>): MessageExtension | undefined {
  const entries = Object.entries(others);
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

const LENGTH_BYTES = 4;

/** Returns the length of a JSON header, then the header, then the body byte for byte. */
export function frame(header: object, body: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json, body]);
}

export function unframe(bytes: Uint8Array): { header: unknown; body: Buffer } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bodyAt = LENGTH_BYTES + buffer.readUInt32BE();
  const header: unknown = JSON.parse(buffer.toString('utf8', LENGTH_BYTES, bodyAt));
  return { header, body: buffer.subarray(bodyAt) };
}
