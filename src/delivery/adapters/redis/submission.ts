import type { PublishTerms } from '../../history/history.port.js';
import { againKey } from './keys.js';
import type { Partition } from './recent.js';

/** What is to be sent for one publication. */
export interface Submission {
  readonly partition: Partition;
  /** The Redis channel. */
  readonly channel: string;
  readonly envelope: Buffer;
  /** Whether it may be sent again: those who receive it tell copies. */
  readonly isRepeatable: boolean;
  /** Absent: it is only sent. */
  readonly keeping?: Keeping;
}

export type KeptSubmission = Submission & { readonly keeping: Keeping };

export function isKept(submission: Submission): submission is KeptSubmission {
  return submission.keeping !== undefined;
}

/** What Redis looks up and keeps for a publication. */
export interface Keeping {
  readonly terms: Omit<PublishTerms, 'idempotency'>;
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
export type PublishAnswer =
  | {
      readonly recentId: string | undefined;
      /** In the history: `offset:epoch`, or nothing. */
      readonly place: string;
    }
  | { readonly failure: unknown };

/** What it takes in memory beside its envelope, roughly. */
const SUBMISSION_BYTES = 200;

export function sizeOf({ envelope }: Submission): number {
  return envelope.length + SUBMISSION_BYTES;
}

/** The same once more, for a Redis that may have lost it. What was sent again is not sent a third time within `ttlMs`. */
export function again(submission: Submission, place: string, ttlMs: number): Submission {
  const { keeping } = submission;
  if (keeping === undefined || place === '') return submission;
  const key = againKey(submission.partition, keeping.channel, place);
  const answered = keeping.answered ?? { key, ttlMs };
  return { ...submission, keeping: { ...keeping, answered, place } };
}
