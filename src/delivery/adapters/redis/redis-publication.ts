import type { PublishConditions } from '../../history/history.port.js';
import { resendKey } from './keys.js';
import type { Partition } from './replay-streams.js';

/** What is to be sent for one publication. */
export interface RedisPublication {
  readonly partition: Partition;
  /** The Redis channel. */
  readonly channel: string;
  readonly envelope: Buffer;
  /** Whether it may be sent again: those who receive it tell copies. */
  readonly isRepeatable: boolean;
  /** Absent: it is only sent. */
  readonly keeping?: StoreRequest;
}

export type StoredPublication = RedisPublication & { readonly keeping: StoreRequest };

export function isStored(submission: RedisPublication): submission is StoredPublication {
  return submission.keeping !== undefined;
}

/** What Redis looks up and keeps for a publication. */
export interface StoreRequest {
  readonly terms: Omit<PublishConditions, 'idempotency'>;
  /** As it is called outside of Redis. */
  readonly channel: string;
  /** Whether subscribers may want it as a difference to the one before. */
  readonly delta: boolean;
  /** Where the answer is kept for whoever publishes it again, and for how long. */
  readonly answered?: { readonly key: string; readonly ttlMs: number };
  /** Where it was placed before, `offset:epoch`. It is left out where Redis still has it. */
  readonly place?: string;
}

export interface PublishSettings {
  readonly sharded: boolean;
  /** Entries in a stream of recent publications at most, roughly. */
  readonly maxPerStream: number;
}

/** What became of one publication. */
export type PublishResult =
  | {
      readonly recentId: string | undefined;
      /** In the history: `offset:epoch`, or nothing. */
      readonly place: string;
    }
  | { readonly failure: unknown };

/** What it takes in memory beside its envelope, roughly. */
const SUBMISSION_BYTES = 200;

export function sizeOf({ envelope }: RedisPublication): number {
  return envelope.length + SUBMISSION_BYTES;
}

/** The same once more, for a Redis that may have lost it. What was sent again is not sent a third time within `ttlMs`. */
export function again(submission: RedisPublication, place: string, ttlMs: number): RedisPublication {
  const { keeping } = submission;
  if (keeping === undefined || place === '') return submission;
  const key = resendKey(submission.partition, keeping.channel, place);
  const answered = keeping.answered ?? { key, ttlMs };
  return { ...submission, keeping: { ...keeping, answered, place } };
}
