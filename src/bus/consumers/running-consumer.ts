import { Logger } from '@nestjs/common';
import { retryUntilDone } from '../../async/index.js';
import type { BusMetrics, ConsumerMeters } from '../bus.metrics.js';
import type { Bus, BusSubscription, PartitionLag } from '../bus.port.js';
import type { Buses } from '../buses.js';
import type { RetryConsumer, RetryStore } from '../retries/retry-store.port.js';
import type { ReceivedRecord } from '../../message/index.js';
import { FailedBatch } from '../retries/failed-batch.js';
import type { Consumer } from './consumer.js';
import { eventName, toReceivedEvent } from './event-record.js';
import { Handling } from './handling.js';
import { Throttle } from './throttle.js';
import type { ReceivedEvent } from './received-event.js';
import { Retries } from '../retries/retries.js';
import { RetryPolicy } from '../retries/retry-policy.js';

export interface ConsumerSurroundings {
  readonly buses: Buses;
  readonly retryStore: RetryStore;
  readonly metrics: BusMetrics;
}

export type ConsumerState = 'starting' | 'running' | 'failed' | 'closed';

/**
 * One consumer at work: it takes records of its topics, hands the events among them to the handler, and puts aside
 * what fails, so that the partition goes on. A record is acknowledged when it was handled, passed over or put aside.
 */
export class RunningConsumer {
  readonly #logger = new Logger('Consumers');
  readonly #closing = new AbortController();
  readonly #meters: ConsumerMeters;
  readonly #handling: Handling;
  readonly #policy: RetryPolicy;
  readonly #retries: Retries;
  readonly #pace: Throttle;
  #state: ConsumerState = 'starting';
  #starting: Promise<void> = Promise.resolve();
  #bus: Bus | undefined;
  #subscription: BusSubscription | undefined;
  #retryConsumer: RetryConsumer | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    readonly consumer: Consumer,
    private readonly surroundings: ConsumerSurroundings,
  ) {
    const { buses, metrics } = surroundings;
    this.#meters = metrics.metersOf(consumer);
    this.#handling = new Handling(consumer, this.#meters);
    this.#policy = new RetryPolicy(consumer.settings);
    const publisher = () => buses.forProducers(consumer.driver);
    this.#retries = new Retries(consumer, this.#handling, this.#policy, this.#meters, publisher);
    this.#pace = new Throttle(consumer.settings.takeEveryMs, consumer.settings.concurrency);
  }

  get state(): ConsumerState {
    return this.#state;
  }

  /** Resolves when it takes records, or when the first attempt to start failed: it goes on trying then. */
  async start(): Promise<void> {
    const decided = Promise.withResolvers<void>();
    this.#starting = this.#startSomeTime(decided.resolve).finally(decided.resolve);
    await decided.promise;
  }

  /** Takes nothing more, finishes what is in hand and acknowledges it. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  /** What its group has not acknowledged yet, where the broker can tell. */
  async lag(): Promise<readonly PartitionLag[]> {
    const { group, topics } = this.consumer;
    return this.#state === 'running' ? ((await this.#bus?.lag(group, topics)) ?? []) : [];
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#pace.close();
    await this.#starting;
    this.#state = 'closed';
    await this.#leave();
    this.#handling.close();
  }

  async #leave(): Promise<void> {
    await Promise.all([this.#subscription?.close(), this.#retryConsumer?.close()]);
    this.#subscription = this.#retryConsumer = undefined;
  }

  async #startSomeTime(decided: () => void): Promise<void> {
    const { restartDelayMs } = this.consumer.settings;
    await retryUntilDone(() => this.#enter(), {
      pauseMs: () => restartDelayMs,
      onFailure: (error) => {
        this.#state = 'failed';
        decided();
        this.#logger.error(
          `consumer ${this.consumer.group} cannot start, again in ${restartDelayMs} ms: ${String(error)}`,
        );
      },
      signal: this.#closing.signal,
    });
  }

  async #enter(): Promise<void> {
    try {
      await this.#subscribe();
      this.#state = 'running';
    } catch (error) {
      await this.#leave();
      throw error;
    }
  }

  async #subscribe(): Promise<void> {
    const { module, driver, group, topics, settings } = this.consumer;
    const { batchSize, concurrency, from } = settings;
    const { buses, retryStore, metrics } = this.surroundings;
    this.#bus = await buses.forConsumers(driver, module);
    this.#retryConsumer = await retryStore.consume(group, { concurrency }, (record) =>
      this.#retries.outcomeOf(record),
    );
    this.#subscription = await this.#bus.subscribe(
      {
        topics,
        group,
        maxBatchSize: batchSize,
        concurrency,
        from,
        onRebalance: () => metrics.countRebalance(this.consumer),
      },
      (records) => this.#take(records),
    );
    this.#pace.govern(this.#subscription);
  }

  async #take(records: readonly ReceivedRecord[]): Promise<void> {
    this.#pace.taken();
    const { events, handler } = this.consumer;
    const wanted = events === undefined ? records : records.filter((record) => events.has(eventName(record)));
    const { retryStore } = this.surroundings;
    const aside = await FailedBatch.open(
      this.consumer,
      this.#policy,
      retryStore,
      wanted,
      this.#closing.signal,
    );
    if (handler.takes === 'batch') await this.#handle(wanted, aside);
    else for (const record of wanted) await this.#handle([record], aside);
    await aside.add();
  }

  /** What is held up behind another record, or cannot be read, is no matter for the handler. */
  async #handle(records: readonly ReceivedRecord[], aside: FailedBatch): Promise<void> {
    const events: ReceivedEvent[] = [];
    const origins: ReceivedRecord[] = [];
    for (const record of records) {
      if (aside.isBlocked(record)) aside.behind(record);
      else
        try {
          events.push(toReceivedEvent(record, this.consumer.driver));
          origins.push(record);
        } catch (fault) {
          aside.failed(record, fault);
        }
    }
    if (events.length === 0) return;
    const now = Date.now();
    for (const { event, createdAt } of events)
      this.#meters.of(event).delay.observe(Math.max(0, now - createdAt) / 1_000);
    const faults = await this.#handling.attempt(events);
    if (faults.size === 0) return;
    for (const [at, event] of events.entries())
      if (faults.has(event)) aside.failed(origins[at]!, faults.get(event));
  }
}
