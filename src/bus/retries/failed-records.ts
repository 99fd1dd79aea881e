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
 * The records of one batch that go to the retry store: those that failed and, if the consumer keeps the order of keys, those
 * that are blocked by a failed record with the same key.
 */
export class FailedRecords {
  readonly #logger = new Logger('Consumers');
  readonly #records: RetryRecord[] = [];
  readonly #blockedKeys = new Set<string>();

  private constructor(
    private readonly consumer: Consumer,
    private readonly policy: RetryPolicy,
    private readonly retryStore: RetryStore,
    private readonly signal: AbortSignal,
  ) {}

  /** Reads from the store which keys of the batch are blocked already. Waits until the store is available. */
  static async open(
    consumer: Consumer,
    policy: RetryPolicy,
    retryStore: RetryStore,
    batch: readonly ReceivedRecord[],
    signal: AbortSignal,
  ): Promise<FailedRecords> {
    const failed = new FailedRecords(consumer, policy, retryStore, signal);
    if (consumer.settings.ordering === 'none') return failed;
    const orderingKeys = [...new Set(batch.flatMap((record) => failed.#orderingKeyOf(record) ?? []))];
    if (orderingKeys.length > 0) {
      const blocked = await failed.#untilDone(() => retryStore.blockedKeys(consumer.group, orderingKeys));
      for (const orderingKey of blocked) failed.#blockedKeys.add(orderingKey);
    }
    return failed;
  }

  isBlocked(record: ReceivedRecord): boolean {
    const orderingKey = this.#orderingKeyOf(record);
    return orderingKey !== undefined && this.#blockedKeys.has(orderingKey);
  }

  addFailed(record: ReceivedRecord, error: unknown): void {
    const now = Date.now();
    const { dueAt, attempts, failure, givenUp } = this.policy.outcomeOf(error, 0, now);
    this.#logger.warn(
      `consumer ${this.consumer.group}: record ${record.topic}/${record.partition}/${record.position} failed, ` +
        `${givenUp ? 'it becomes a dead letter' : `retrying in ${dueAt - now} ms`}: ${failure.code}: ${failure.message}`,
    );
    const failedAt = { firstFailedAt: now, lastFailedAt: now };
    this.#add({ ...this.#untried(record), dueAt, attempts, failure, givenUp, ...failedAt });
  }

  addBlocked(record: ReceivedRecord): void {
    this.#add(this.#untried(record));
  }

  /**
   * Resolves when the retry store holds all of these records. Until then their partition is paused: while the store is
   * unavailable, and while the group has the largest number of waiting records.
   */
  async store(): Promise<void> {
    if (this.#records.length === 0) return;
    const { group, settings } = this.consumer;
    await this.#untilDone(async () => {
      if (await this.retryStore.add(this.#records, settings.maxWaiting)) return true;
      throw new Error(
        `group ${group} has ${settings.maxWaiting} waiting records, which is its limit (maxWaiting)`,
      );
    });
  }

  #add(record: RetryRecord): void {
    this.#records.push(record);
    if (record.orderingKey !== undefined) this.#blockedKeys.add(record.orderingKey);
  }

  #untried(record: ReceivedRecord): RetryRecord {
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

  async #untilDone<T extends object | true>(call: () => Promise<T>): Promise<T> {
    const result = await retryUntilDone(call, {
      pauseMs: (attempt) => backoffMs(attempt, RETRY_INITIAL_MS, RETRY_MAX_MS),
      onFailure: (error, attempt) => {
        if (attempt > 1) return;
        const { code, message } = failureOf(error);
        this.#logger.warn(
          `consumer ${this.consumer.group} is paused: failed records cannot be stored for retry, trying again: ${code}: ${message}`,
        );
      },
      signal: this.signal,
    });
    // Undefined when the consumer is closing. If this last attempt fails as well, the bus keeps the batch.
    return result ?? call();
  }
}
