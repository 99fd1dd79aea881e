import type { ProgressReporter } from '../bus.port.js';
import type { DeadLetterSummary } from './dead-letter-summary.js';
import type { Failure, RetryRecord } from './retry-record.js';

export interface RetryStoreCapabilities {
  /** A stored record survives this process, even a SIGKILL. */
  readonly durable: boolean;
  /** Several processes share the records: each of them may retry, list, redrive and drop them. */
  readonly shared: boolean;
}

/** The result of a retry. After `retry` the record waits until `dueAt`; after `dead` it is a dead letter. */
export type RetryOutcome =
  | { readonly kind: 'handled' }
  | {
      readonly kind: 'retry';
      readonly dueAt: number;
      readonly attempts: number;
      readonly failure: Failure;
      readonly failedAt: number;
      readonly givenUp: boolean;
    }
  | { readonly kind: 'dead' };

/** Retries one record. If it rejects, the attempt does not count, and the record is retried soon. */
export type RetryHandler = (record: RetryRecord) => Promise<RetryOutcome>;

export interface RetryConsumer {
  /** Takes no more records and waits a limited time for retries in progress. May be called twice. */
  close(): Promise<void>;
}

export interface DeadLetterQuery {
  readonly group?: string;
  readonly topic?: string;
  /** Largest number of records in the page, 1 to 1000. */
  readonly limit: number;
  /** The `next` of the previous page. */
  readonly cursor?: string;
}

export interface DeadLetterPage {
  /** Ordered by id, which is the order of publishing. At least one, and not necessarily `limit`, if there is a next page. */
  readonly records: readonly DeadLetterSummary[];
  /** Absent on the last page. */
  readonly next?: string;
}

export interface DeadLetterUsage {
  readonly deadLetters: number;
  /** The size of the dead letters as they are stored. Those that an earlier version stored may count as 0. */
  readonly bytes: number;
  /** How many dead letters were dropped because of the limits, since the store was opened or, if it is shared, was created. */
  readonly dropped: number;
}

export interface RetryConsumeOptions {
  readonly concurrency: number;
  /** Receives that due records can be neither claimed nor concluded, although the store can be reached. */
  readonly progress?: ProgressReporter | undefined;
}

/**
 * The records that consumers failed to handle: those that wait for a retry, those that are blocked by them, and dead letters.
 *
 * It is the only source of truth for them. A topic cannot look up, drop or requeue a single record, and would block the records
 * after one that is not due. So both retries and dead letters are kept in a store.
 *
 * Every adapter promises:
 * - `add` resolves to true when the store holds all of the records. It resolves to false, and stores none of them, if their
 *   group would then have more than `maxWaiting` waiting records. A record whose id exists is left unchanged.
 * - `consume` passes each waiting record of the group to one handler among all processes, not before it is due, at least once.
 *   Of the records with the same ordering key it passes only the first, and the next one when that one is handled or dead. If
 *   a process dies, other processes get its records after a lease.
 * - Dead letters are limited in number, bytes and age. Beyond a limit, those that died first are dropped, which is counted and
 *   logged. Age is checked at least every minute.
 * - `list` reads no bodies, and ends a page early that would be larger than about 1 MiB.
 * - `redrive` and `drop` resolve to true if and only if the record was dead. A redriven record is waiting, due at once, behind
 *   those with the same ordering key, and its attempts count from zero.
 * - While the store is unavailable, calls reject with `BrokerUnavailableError` in bounded time. Consumers resume by themselves.
 * - `close` waits a limited time for calls and handlers in progress, and may be called twice.
 *
 * Not promised: order between records without an ordering key, or with different ones.
 */
export abstract class RetryStore {
  abstract readonly capabilities: RetryStoreCapabilities;
  /** @param records all of one group */
  abstract add(records: readonly RetryRecord[], maxWaiting: number): Promise<boolean>;
  /** Resolves to those of the ordering keys for which the group has a waiting record. */
  abstract blockedKeys(group: string, orderingKeys: readonly string[]): Promise<ReadonlySet<string>>;
  abstract consume(
    group: string,
    options: RetryConsumeOptions,
    handler: RetryHandler,
  ): Promise<RetryConsumer>;
  abstract find(id: string): Promise<RetryRecord | undefined>;
  /** Lists dead letters only. */
  abstract list(query: DeadLetterQuery): Promise<DeadLetterPage>;
  abstract usage(): Promise<DeadLetterUsage>;
  abstract redrive(id: string): Promise<boolean>;
  abstract drop(id: string): Promise<boolean>;
  abstract close(): Promise<void>;
}

/** Returns the record as it is stored after an outcome. A handled record is removed instead. */
export function withOutcome(
  record: RetryRecord,
  outcome: Exclude<RetryOutcome, { kind: 'handled' }>,
): RetryRecord {
  if (outcome.kind === 'dead') return { ...record, state: 'dead' };
  const { dueAt, attempts, failure, failedAt, givenUp } = outcome;
  const firstFailedAt = record.firstFailedAt ?? failedAt;
  return { ...record, dueAt, attempts, failure, givenUp, firstFailedAt, lastFailedAt: failedAt };
}

/** Returns the record as it is stored after a redrive. */
export function redriven(record: RetryRecord, now: number): RetryRecord {
  return { ...record, state: 'waiting', dueAt: now, attempts: 0, givenUp: false };
}
