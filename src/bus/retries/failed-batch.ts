import { Logger } from '@nestjs/common';
import { type RetryRecord, retryRecordId } from './retry-record.js';
import type { RetryStore } from './retry-store.port.js';
import type { ReceivedRecord } from '../../message/index.js';
import { backoffMs, retryUntilDone } from '../../async/index.js';
import type { Consumer } from '../consumers/consumer.js';
import { failureOf } from './failure.js';
import type { RetryPolicy } from './retry-policy.js';

const RETRY_INITIAL_MS = 100;
const RETRY_MAX_MS = 5_000;

/**
 * What of one batch is put aside: records that failed and, where the order of keys is kept, those that have to wait
 * behind them or behind others that failed earlier.
 */
export class FailedBatch {
  readonly #logger = new Logger('Consumers');
  readonly #records: RetryRecord[] = [];
  readonly #blocked = new Set<string>();

  private constructor(
    private readonly consumer: Consumer,
    private readonly policy: RetryPolicy,
    private readonly retryStore: RetryStore,
    private readonly signal: AbortSignal,
  ) {}

  /** Learns which keys of the batch are held up already. Waits for the store, because nobody else knows. */
  static async open(
    consumer: Consumer,
    policy: RetryPolicy,
    retryStore: RetryStore,
    batch: readonly ReceivedRecord[],
    signal: AbortSignal,
  ): Promise<FailedBatch> {
    const aside = new FailedBatch(consumer, policy, retryStore, signal);
    if (consumer.settings.ordering === 'none') return aside;
    const orderingKeys = [...new Set(batch.flatMap((record) => aside.#orderingKeyOf(record) ?? []))];
    if (orderingKeys.length > 0) {
      const blockedKeys = await aside.#insist(() => retryStore.blockedKeys(consumer.group, orderingKeys));
      for (const orderingKey of blockedKeys) aside.#blocked.add(orderingKey);
    }
    return aside;
  }

  isBlocked(record: ReceivedRecord): boolean {
    const orderingKey = this.#orderingKeyOf(record);
    return orderingKey !== undefined && this.#blocked.has(orderingKey);
  }

  failed(record: ReceivedRecord, error: unknown): void {
    const now = Date.now();
    const { group } = this.consumer;
    const { dueAt, attempts, failure, givenUp } = this.policy.outcomeOf(error, 0, now);
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
  async add(): Promise<void> {
    if (this.#records.length === 0) return;
    const { group, settings } = this.consumer;
    await this.#insist(async () => {
      if (await this.retryStore.add(this.#records, settings.maxWaiting)) return true;
      throw new Error(`group ${group} has ${settings.maxWaiting} records waiting, and may not have more`);
    });
  }

  #add(record: RetryRecord): void {
    this.#records.push(record);
    if (record.orderingKey !== undefined) this.#blocked.add(record.orderingKey);
  }

  #fresh(record: ReceivedRecord): RetryRecord {
    const { group, driver } = this.consumer;
    const { topic, partition, position, key, headers, value, publishedAt } = record;
    const orderingKey = this.#orderingKeyOf(record);
    return {
      id: retryRecordId(group, driver, record),
      group,
      driver,
      topic,
      partition,
      position,
      ...(key === undefined ? {} : { key }),
      headers,
      value,
      publishedAt,
      ...(orderingKey === undefined ? {} : { orderingKey }),
      state: 'waiting',
      dueAt: Date.now(),
      attempts: 0,
      givenUp: false,
    };
  }

  #orderingKeyOf({ topic, key }: ReceivedRecord): string | undefined {
    return this.consumer.settings.ordering === 'key' && key !== undefined ? `${topic}\0${key}` : undefined;
  }

  async #insist<T extends object | true>(call: () => Promise<T>): Promise<T> {
    const result = await retryUntilDone(call, {
      pauseMs: (attempt) => backoffMs(attempt, RETRY_INITIAL_MS, RETRY_MAX_MS),
      onFailure: (error, attempt) => {
        if (attempt > 1) return;
        const { code, message } = failureOf(error);
        this.#logger.warn(
          `${this.consumer.group} stands still: what failed cannot be put aside: ${code}: ${message}`,
        );
      },
      signal: this.signal,
    });
    // The consumer is closing: if this attempt fails as well, the bus keeps the batch.
    return result ?? call();
  }
}
