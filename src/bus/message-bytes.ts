import type { ScheduledMessage } from './message.js';

/** What a store keeps beside the bytes, because it looks messages up by it or changes it. */
export type MessageIndex = Pick<ScheduledMessage, 'id' | 'channel' | 'dueAt'>;

const LENGTH_BYTES = 4;

/**
 * The form in which a store keeps a message, apart from its {@link MessageIndex}: the length of a JSON header, the
 * header, then the data byte for byte.
 */
export function toBytes(message: ScheduledMessage): Buffer {
  const { id: _id, channel: _channel, dueAt: _dueAt, data, ...rest } = message;
  const header = Buffer.from(JSON.stringify(rest));
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32BE(header.length);
  return Buffer.concat([length, header, data]);
}

export function fromBytes({ id, channel, dueAt }: MessageIndex, bytes: Uint8Array): ScheduledMessage {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dataAt = LENGTH_BYTES + buffer.readUInt32BE();
  const rest = JSON.parse(buffer.toString('utf8', LENGTH_BYTES, dataAt)) as Omit<
    ScheduledMessage,
    keyof MessageIndex | 'data'
  >;
  return { ...rest, id, channel, dueAt, data: buffer.subarray(dataAt) };
}
