import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

/** One push: what is to arrive, where, and when. It travels on a queue in the form that `message-record.ts` describes. */
export interface Message {
  /** UUIDv7. Duplicates are told by it, so a retry of the same push keeps it. */
  readonly id: string;
  /** The channel, or an address made by delivery (a user, a connection, a client's identity). */
  readonly channel: string;
  /** The payload, byte for byte as it was given. */
  readonly data: Buffer;
  /** Whether `data` is one JSON text, or bytes without further meaning. */
  readonly format: MessageFormat;
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** Messages with one key keep their order on a queue. The channel serves where it is absent. */
  readonly key?: string;
  /** Unix time in ms. */
  readonly createdAt: number;
  /** Unix time in ms before which it must not arrive. */
  readonly dueAt?: number;
  /** Unix time in ms after which it is dropped instead of delivered. */
  readonly expiresAt?: number;
  /** W3C trace context of the request that caused it. */
  readonly traceparent?: string;
  readonly extension?: MessageExtension;
}

/**
 * What another module sends along with a message: texts by the names of their headers. A queue carries them as they are; only
 * the module that added them knows their meaning. A name begins with `carillon-` and is not one of the message's own headers.
 */
export type MessageExtension = Readonly<Record<string, string>>;

export type MessageFormat = 'json' | 'binary';

/** A message with a due time, as the delayed lane holds it. */
export interface ScheduledMessage extends Message {
  readonly dueAt: number;
}

const ID_BYTES = 16;
/** Asked for in bulk: a call to the generator for each id would cost more than the rest of it. */
const random = new Uint8Array(ID_BYTES * 256);
let used = random.length;
let lastMs = 0;
let sequence = 0;

/** A UUIDv7. Those of one process sort in the order in which they were made, also within a millisecond. */
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
