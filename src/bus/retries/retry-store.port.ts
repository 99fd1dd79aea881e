import type { Failure, RetryRecord } from './retry-record.js';

export interface RetryStoreCapabilities {
  /** A parked record outlives this process, a SIGKILL included. */
  readonly durable: boolean;
  /** Several processes share the records: any of them may try them again, list, redrive and drop them. */
  readonly shared: boolean;
}

/** What became of a try. `again` leaves it waiting until `dueAt`; `dead` gives it up for good. */
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

/** Tries one record again. Rejecting tells nothing of the record: it comes again soon, as if it had not been tried. */
export type RetryHandler = (record: RetryRecord) => Promise<RetryOutcome>;

export interface RetryConsumer {
  /** Takes no further records and waits a bounded time for those in hand. May be called twice. */
  close(): Promise<void>;
}

export interface DeadLetterQuery {
  readonly group?: string;
  readonly topic?: string;
  /** Largest number of records in the page, 1 to 1000. */
  readonly limit: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

export interface DeadLetterPage {
  /** By id, which is by the time of their publishing. */
  readonly records: readonly RetryRecord[];
  /** Absent on the last page. */
  readonly next?: string;
}

/**
 * Records that consumers could not handle: those to be tried again, those that stand behind them, and the dead ones.
 *
 * It is the only truth about them. A topic cannot be asked for one record, cannot give it up or back, and would hold up
 * what is behind a record whose time has not come; so both retries and dead letters are kept in a store.
 *
 * Promised by every adapter:
 * - `park` resolves with true when the store holds all of the records, and with false, having kept none of them, where their
 *   group would then have more than `maxWaiting` waiting. A record whose id is known already is left as it is.
 * - `consume` hands each waiting record of the group to one handler among all processes, not before it is due, at least once; of a
 *   line only the first, and the next when that one was handled or is dead. A process that dies leaves what it had to
 *   another after a lease.
 * - `redrive` and `drop` answer true if and only if the record was dead. A redriven record is waiting, due at once, behind those
 *   that are in its line, and with no attempts counted.
 * - A store that goes away makes calls reject with `BrokerUnavailableError` in bounded time; consumers resume by themselves.
 * - `close` waits for calls and handlers under way, for a bounded time, and may be called twice.
 *
 * Not promised: order between records without a line, or of different lines.
 */
export abstract class RetryStore {
  abstract readonly capabilities: RetryStoreCapabilities;
  /** @param records of one group */
  abstract add(records: readonly RetryRecord[], maxWaiting: number): Promise<boolean>;
  /** Which of these lines of a group have a waiting record. */
  abstract blockedKeys(group: string, orderingKeys: readonly string[]): Promise<ReadonlySet<string>>;
  abstract consume(
    group: string,
    options: { readonly concurrency: number },
    handler: RetryHandler,
  ): Promise<RetryConsumer>;
  abstract find(id: string): Promise<RetryRecord | undefined>;
  /** Dead ones only. */
  abstract list(query: DeadLetterQuery): Promise<DeadLetterPage>;
  abstract redrive(id: string): Promise<boolean>;
  abstract drop(id: string): Promise<boolean>;
  abstract close(): Promise<void>;
}

/** The record after a try that left it waiting, or made it dead. Handled ones are gone. */
export function withOutcome(
  record: RetryRecord,
  outcome: Exclude<RetryOutcome, { kind: 'handled' }>,
): RetryRecord {
  if (outcome.kind === 'dead') return { ...record, state: 'dead' };
  const { dueAt, attempts, failure, failedAt, givenUp } = outcome;
  const firstFailedAt = record.firstFailedAt ?? failedAt;
  return { ...record, dueAt, attempts, failure, givenUp, firstFailedAt, lastFailedAt: failedAt };
}

export function redriven(record: RetryRecord, now: number): RetryRecord {
  return { ...record, state: 'waiting', dueAt: now, attempts: 0, givenUp: false };
}
