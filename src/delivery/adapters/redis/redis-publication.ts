import type { PublishConditions } from '../../history/history.port.js';
import { resendKey } from './keys.js';
import type { Partition } from './partition.js';

/** A publication as it is sent to Redis. */
export interface RedisPublication {
  readonly partition: Partition;
  /** The Redis channel. */
  readonly channel: string;
  readonly envelope: Buffer;
  /** Whether it may be sent again, because its receivers recognize copies. */
  readonly isRepeatable: boolean;
  /** How to store it. Absent: it is sent only. */
  readonly store?: StoreRequest;
}

export type StoredPublication = RedisPublication & { readonly store: StoreRequest };

export function isStored(publication: RedisPublication): publication is StoredPublication {
  return publication.store !== undefined;
}

/** The conditions that Redis checks for a publication, and how it stores it. */
export interface StoreRequest {
  readonly conditions: Omit<PublishConditions, 'idempotency'>;
  /** The channel of the application. */
  readonly channel: string;
  /** Whether subscribers may ask for the difference from the previous publication. */
  readonly delta: boolean;
  /** Where the result is stored for later copies of the publication, and for how long. */
  readonly result?: { readonly key: string; readonly ttlMs: number };
  /** Its position before a loss of data, `offset:epoch`. If Redis still has it there, it is not sent. */
  readonly lostPosition?: string;
}

export interface PublishSettings {
  readonly sharded: boolean;
  /** Approximate maximum number of entries in a replay stream. */
  readonly maxPerStream: number;
}

/** The outcome of one publication. */
export type PublishResult =
  | {
      /** The id of its entry in the replay stream, if it has one. */
      readonly replayId: string | undefined;
      /** Its position in the history, `offset:epoch`. Empty without a history. */
      readonly position: string;
    }
  | { readonly failure: unknown };

/** Approximate memory of a publication beside its envelope. */
const PUBLICATION_BYTES = 200;

export function sizeOf({ envelope }: RedisPublication): number {
  return envelope.length + PUBLICATION_BYTES;
}

/**
 * Returns a copy of a publication for a Redis that may have lost it. Redis remembers the copy for `ttlMs`, so that
 * copies from several processes are sent once.
 */
export function toResend(publication: RedisPublication, position: string, ttlMs: number): RedisPublication {
  const { store } = publication;
  if (store === undefined || position === '') return publication;
  const key = resendKey(publication.partition, store.channel, position);
  const result = store.result ?? { key, ttlMs };
  return { ...publication, store: { ...store, result, lostPosition: position } };
}
