import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type ParkedRecord, parkedId } from './retry-record.js';
import type { ParkedRecords } from './retry-store.port.js';
import type { ReceivedRecord } from '../../message/index.js';
import { backoffMs } from '../../async/index.js';
import type { Consumer } from '../consumers/consumer.js';
import { failureOf } from './failure.js';
import type { RetryPolicy } from './retry-policy.js';

const RETRY_INITIAL_MS = 100;
const RETRY_MAX_MS = 5_000;

/**
 * What of one batch is put aside: records that failed and, where the order of keys is kept, those that have to wait
 * behind them or behind others that failed earlier.
 */
export class Aside {
  readonly #logger = new Logger('Consumers');
  readonly #records: ParkedRecord[] = [];
  readonly #heldUp = new Set<string>();

  private constructor(
    private readonly consumer: Consumer,
    private readonly policy: RetryPolicy,
    private readonly parked: ParkedRecords,
    private readonly signal: AbortSignal,
  ) {}

  /** Learns which keys of the batch are held up already. Waits for the store, because nobody else knows. */
  static async open(
    consumer: Consumer,
    policy: RetryPolicy,
    parked: ParkedRecords,
    batch: readonly ReceivedRecord[],
    signal: AbortSignal,
  ): Promise<Aside> {
    const aside = new Aside(consumer, policy, parked, signal);
    if (consumer.settings.ordering === 'none') return aside;
    const lines = [...new Set(batch.flatMap((record) => aside.#lineOf(record) ?? []))];
    if (lines.length > 0) {
      const occupied = await aside.#insist(() => parked.occupied(consumer.group, lines));
      for (const line of occupied) aside.#heldUp.add(line);
    }
    return aside;
  }

  isHeldUp(record: ReceivedRecord): boolean {
    const line = this.#lineOf(record);
    return line !== undefined && this.#heldUp.has(line);
  }

  failed(record: ReceivedRecord, error: unknown): void {
    const now = Date.now();
    const { group } = this.consumer;
    const { dueAt, attempts, failure, givenUp } = this.policy.fateOf(error, 0, now);
    this.#logger.warn(
      `${group} failed with ${record.topic}/${record.partition}/${record.position}, ` +
        `${givenUp ? 'for good' : `again in ${dueAt - now} ms`}: ${failure.code}: ${failure.message}`,
    );
    const failedAt = { firstFailedAt: now, lastFailedAt: now };
    this.#add({ ...this.#fresh(record), dueAt, attempts, failure, givenUp, ...failedAt });
  }

  behind(record: ReceivedRecord): void {
    this.#add(this.#fresh(record));
  }

  /**
   * Resolves when all of it is kept. Until then, its partition stands still: while the store is away, and while the
   * group has as many records waiting as it may have.
   */
  async park(): Promise<void> {
    if (this.#records.length === 0) return;
    const { group, settings } = this.consumer;
    await this.#insist(async () => {
      if (await this.parked.park(this.#records, settings.maxWaiting)) return;
      throw new Error(`group ${group} has ${settings.maxWaiting} records waiting, and may not have more`);
    });
  }

  #add(record: ParkedRecord): void {
    this.#records.push(record);
    if (record.line !== undefined) this.#heldUp.add(record.line);
  }

  #fresh(record: ReceivedRecord): ParkedRecord {
    const { group, driver } = this.consumer;
    const { topic, partition, position, key, headers, value, publishedAt } = record;
    const line = this.#lineOf(record);
    return {
      id: parkedId(group, driver, record),
      group,
      driver,
      topic,
      partition,
      position,
      ...(key === undefined ? {} : { key }),
      headers,
      value,
      publishedAt,
      ...(line === undefined ? {} : { line }),
      state: 'waiting',
      dueAt: Date.now(),
      attempts: 0,
      givenUp: false,
    };
  }

  #lineOf({ topic, key }: ReceivedRecord): string | undefined {
    return this.consumer.settings.ordering === 'key' && key !== undefined ? `${topic}\0${key}` : undefined;
  }

  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        // While closing, the bus keeps the batch instead.
        if (this.signal.aborted) throw error;
        const { code, message } = failureOf(error);
        if (attempt === 1)
          this.#logger.warn(
            `${this.consumer.group} stands still: what failed cannot be put aside: ${code}: ${message}`,
          );
        await delay(backoffMs(attempt, RETRY_INITIAL_MS, RETRY_MAX_MS), undefined, { signal: this.signal });
      }
    }
  }
}
