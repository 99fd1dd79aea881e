import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

/** A message to the subscribers of a channel, now or at a given time. `message-record.ts` defines its format on a queue. */
export interface Message {
  /** A UUIDv7. Duplicates are recognized by it, so a retry of the same push keeps it. */
  readonly id: string;
  /** The channel, or an address that delivery has created (for a user, a connection or a client's identity). */
  readonly channel: string;
  /** The payload, byte for byte as the sender gave it. */
  readonly data: Buffer;
  /** Whether `data` is one JSON text, or bytes without further meaning. */
  readonly format: MessageFormat;
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** Messages with the same key keep their order on a queue. Default: the channel. */
  readonly key?: string;
  /** Unix time in ms. */
  readonly createdAt: number;
  /** Unix time in ms. The message is not delivered earlier. */
  readonly dueAt?: number;
  /** Unix time in ms. From then on, the message is dropped instead of delivered. */
  readonly expiresAt?: number;
  /** W3C trace context of the request that created the message. */
  readonly traceparent?: string;
  readonly extension?: MessageExtension;
}

/**
 * Headers that another module adds to a message. A queue carries them unchanged, and only the module that added them knows their
 * meaning. A name begins with `carillon-` and is not one of the message's own headers.
 */
export type MessageExtension = Readonly<Record<string, string>>;

export type MessageFormat = 'json' | 'binary';

/** A message with a due time, for the delayed lane. */
export interface ScheduledMessage extends Message {
  readonly dueAt: number;
}

const ID_BYTES = 16;
/** Filled for many ids at a time: a call to the generator for each id would cost more than the rest of its creation. */
const random = new Uint8Array(ID_BYTES * 256);
let used = random.length;
let lastMs = 0;
let sequence = 0;

/** Returns a UUIDv7. The ids of one process sort in the order of their creation, even within a millisecond. */
export function newMessageId(): string {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  const bytes = random.subarray(used, (used += ID_BYTES));
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    sequence = ((bytes[6]! & 0x7f) << 24) | (bytes[7]! << 16) | (bytes[8]! << 8) | bytes[9]!;
  } else {
    sequence = (sequence + 1) | 0;
    if (sequence === 0) lastMs++;
  }
  return uuidv7({ random: bytes, msecs: lastMs, seq: sequence });
}

export function isExpired(message: Pick<Message, 'expiresAt'>, nowMs: number): boolean {
  return message.expiresAt !== undefined && message.expiresAt <= nowMs;
}
