import type { ProgressReporter } from '../bus.port.js';
import { Logger } from '@nestjs/common';
import type { BusDriver } from '../bus.options.js';
import { RetryPolicy } from '../retries/retry-policy.js';
import { retryRecordId, type RetryRecord } from '../retries/retry-record.js';
import type { RetryConsumer, RetryOutcome, RetryStore } from '../retries/retry-store.port.js';
import { toMessage, type ForeignRecordRule, type Message, type ReceivedRecord } from '../../message/index.js';

export interface LaneOfDeadLetters {
  readonly group: string;
  readonly driver: BusDriver;
  readonly foreignRecords?: ForeignRecordRule | undefined;
}

/** A record that a lane cannot deliver, and why. */
export interface RefusedRecord {
  readonly record: ReceivedRecord;
  readonly error: unknown;
}

/** Records of lanes that wait to become dead letters. They wait only for a moment, so the number only bounds a fault. */
const MAX_WAITING = 100_000;
/** How a redriven record whose delivery fails is retried. */
const policy = new RetryPolicy({
  maxAttempts: 5,
  retryInitialMs: 1_000,
  retryMaxMs: 60_000,
  retryJitter: 0.25,
});

/**
 * Makes dead letters of the records that a lane cannot deliver, byte for byte as they were received. A dead letter that is redriven
 * is decoded and delivered again.
 */
export class LaneDeadLetters {
  readonly #logger = new Logger('Lanes');

  constructor(
    private readonly store: RetryStore,
    private readonly lane: LaneOfDeadLetters,
  ) {}

  /** Resolves when the store holds the records. After a rejection they have to be received again. */
  async add(refused: readonly RefusedRecord[]): Promise<void> {
    const records = refused.map(({ record, error }) => this.#givenUp(record, error));
    if (!(await this.store.add(records, MAX_WAITING)))
      throw new Error(`${MAX_WAITING} records wait to become dead letters already`);
  }

  /** @param deliver delivers the message of a dead letter that is redriven */
  consume(deliver: (message: Message) => Promise<void>, progress?: ProgressReporter): Promise<RetryConsumer> {
    return this.store.consume(this.lane.group, { concurrency: 1, progress }, async (record) =>
      record.givenUp ? this.#deadLetter(record) : this.#redeliver(record, deliver),
    );
  }

  #givenUp(record: ReceivedRecord, error: unknown): RetryRecord {
    const { group, driver } = this.lane;
    const { attempt: _attempt, ...stored } = record;
    const now = Date.now();
    const { dueAt, attempts, failure } = policy.outcomeOf(error, 0, now);
    return {
      ...stored,
      id: retryRecordId(group, driver, record),
      group,
      driver,
      state: 'waiting',
      dueAt: Math.min(dueAt, now),
      attempts,
      failure,
      givenUp: true,
      firstFailedAt: now,
      lastFailedAt: now,
    };
  }

  async #redeliver(record: RetryRecord, deliver: (message: Message) => Promise<void>): Promise<RetryOutcome> {
    try {
      await deliver(toMessage({ ...record, attempt: record.attempts + 1 }, this.lane.foreignRecords));
      return { kind: 'handled' };
    } catch (error) {
      return policy.outcomeOf(error, record.attempts, Date.now());
    }
  }

  #deadLetter({ id, topic, partition, position, failure }: RetryRecord): RetryOutcome {
    this.#logger.warn(
      `record ${topic}/${partition}/${position} is now dead letter ${id}: ${failure?.code}: ${failure?.message}`,
    );
    return { kind: 'dead' };
  }
}
