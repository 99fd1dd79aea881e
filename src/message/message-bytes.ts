import { fromInfoText, toInfoText } from './client-info.js';
import type { ScheduledMessage } from './message.js';

/** What a store keeps beside the bytes, because it looks messages up by it or changes it. */
export type MessageIndex = Pick<ScheduledMessage, 'id' | 'channel' | 'dueAt'>;

type StoredHeader = Omit<ScheduledMessage, keyof MessageIndex | 'data' | 'info'> & { readonly info?: string };

/** The form in which a store keeps a message, apart from its {@link MessageIndex}. */
export function toBytes(message: ScheduledMessage): Buffer {
  const { id: _id, channel: _channel, dueAt: _dueAt, data, info, ...rest } = message;
  return frame(info === undefined ? rest : { ...rest, info: toInfoText(info) }, data);
}

export function fromBytes({ id, channel, dueAt }: MessageIndex, bytes: Uint8Array): ScheduledMessage {
  const { header, body } = unframe(bytes);
  const { info: text, ...rest } = header as StoredHeader;
  const info = text === undefined ? undefined : fromInfoText(text);
  return { ...rest, id, channel, dueAt, data: body, ...(info === undefined ? {} : { info }) };
}

const LENGTH_BYTES = 4;

/** The length of a JSON header, the header, then the body byte for byte. */
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
