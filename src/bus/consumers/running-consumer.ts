import { reportFailure, retryUntilDone } from '../../async/index.js';
import type { BusMetrics, ConsumerMeters } from '../bus.metrics.js';
import type { BusSubscription, PartitionLag } from '../bus.port.js';
import type { Buses, LentBus } from '../buses.js';
import type { ProgressWatch } from '../progress-watch.js';
import type { RetryConsumer, RetryStore } from '../retries/retry-store.port.js';
import type { ReceivedRecord } from '../../message/index.js';
import { FailedRecords } from '../retries/failed-records.js';
import type { Consumer } from './consumer.js';
import type { ConsumerState } from './consumer-state.js';
import { ConsumerStatus } from './consumer-status.js';
import { eventName, toReceivedEvent } from './event-record.js';
import { HandlerRunner } from './handler-runner.js';
import { Throttle } from './throttle.js';
import type { ReceivedEvent } from './received-event.js';
import { Retrier } from '../retries/retrier.js';
import { RetryPolicy } from '../retries/retry-policy.js';

export interface ConsumerDependencies {
  readonly buses: Buses;
  readonly retryStore: RetryStore;
  readonly metrics: BusMetrics;
  readonly progress: ProgressWatch;
}

/**
 * A consumer that is running: it takes records of its topics, passes their events to the handler, and moves failed records to
 * the retry store, so that they do not block their partition. A record is acknowledged when it was handled, skipped or moved.
 */
export class RunningConsumer {
  readonly #closing = new AbortController();
  readonly #meters: ConsumerMeters;
  readonly #runner: HandlerRunner;
  readonly #policy: RetryPolicy;
  readonly #retrier: Retrier;
  readonly #throttle: Throttle;
  readonly status: ConsumerStatus;
  /** Until it is closed. */
  #running: Promise<void> = Promise.resolve();
  /** Ends the present run. */
  #fail: (error: unknown) => void = () => {};
  #lent: LentBus | undefined;
  #subscription: BusSubscription | undefined;
  #retryConsumer: RetryConsumer | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    readonly consumer: Consumer,
    private readonly dependencies: ConsumerDependencies,
  ) {
    const { buses, metrics, progress } = dependencies;
    this.#meters = metrics.metersOf(consumer);
    this.status = new ConsumerStatus(
      consumer,
      metrics.gaugeOf(consumer),
      progress.scoped(`state of ${this.#name}`),
    );
    this.#runner = new HandlerRunner(consumer, this.#meters, (error) => this.#codeFailed(error));
    this.#policy = new RetryPolicy(consumer.settings);
    const publisher = () => buses.forModule(consumer.driver, consumer.module);
    this.#retrier = new Retrier(consumer, this.#runner, this.#policy, this.#meters, publisher);
    this.#throttle = new Throttle(consumer.settings.takeEveryMs, consumer.settings.concurrency);
  }

  get state(): ConsumerState {
    return this.status.state;
  }

  /** Resolves when the consumer takes records, or when its first attempt to start failed. In that case it keeps trying. */
  async start(): Promise<void> {
    const firstAttempt = Promise.withResolvers<void>();
    this.#running = this.#runUntilClosed(firstAttempt.resolve).finally(firstAttempt.resolve);
    await firstAttempt.promise;
  }

  /** Takes no more records, finishes those in progress and acknowledges them. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  /** Resolves to the lag of its group in each partition that the broker reports. */
  async lag(): Promise<readonly PartitionLag[]> {
    const { group, topics } = this.consumer;
    return this.state === 'stopped' ? [] : ((await this.#lent?.bus.lag(group, topics)) ?? []);
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#throttle.close();
    await this.#running;
    await this.#unsubscribe();
    this.status.stopped();
    this.#runner.close();
  }

  async #runUntilClosed(onAttempted: () => void): Promise<void> {
    await retryUntilDone(() => this.#run(onAttempted), {
      pauseMs: () => this.consumer.settings.restartDelayMs,
      onFailure: onAttempted,
      signal: this.#closing.signal,
    });
  }

  /** Resolves when it is closed. Rejects, after it has left its group, if it could not start or if its code failed. */
  async #run(onSubscribed: () => void): Promise<void> {
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {});
    const closing = Promise.withResolvers<void>();
    const { signal } = this.#closing;
    signal.addEventListener('abort', () => closing.resolve(), { once: true });
    this.#fail = failed.reject;
    try {
      await this.#subscribe();
      onSubscribed();
      if (!signal.aborted) await Promise.race([closing.promise, failed.promise]);
    } catch (error) {
      this.status.failed(error instanceof Error ? error.message : String(error));
      await this.#unsubscribe();
      throw error;
    }
  }

  /** Code that a handler left behind threw an error. What it has broken is unknown, so the consumer leaves its group. */
  #codeFailed(error: unknown): void {
    reportFailure(`code of ${this.#name}, outside a call of its handler`, error);
    this.#fail(
      new Error(`its code failed outside a call of its handler: ${String(error)}`, { cause: error }),
    );
  }

  async #subscribe(): Promise<void> {
    const { module, driver, group, topics, settings } = this.consumer;
    const { batchSize, concurrency, from, restartDelayMs } = settings;
    const { buses, retryStore, metrics, progress } = this.dependencies;
    progress.start();
    this.#lent = await buses.forConsumer(driver, module);
    this.#retryConsumer = await retryStore.consume(
      group,
      { concurrency, progress: progress.scoped(`${this.#name}: retries`) },
      (record) => this.#retrier.retry(record),
    );
    this.#subscription = await this.#lent.bus.subscribe(
      {
        topics,
        group,
        maxBatchSize: batchSize,
        concurrency,
        from,
        onRebalance: () => metrics.countRebalance(this.consumer),
        progress: progress.scoped(this.#name),
        observer: this.status,
        restartDelayMs,
      },
      (records) => this.#take(records),
    );
    this.#throttle.attach(this.#subscription);
  }

  get #name(): string {
    return `consumer ${this.consumer.group}`;
  }

  async #unsubscribe(): Promise<void> {
    await Promise.all([this.#subscription?.close(), this.#retryConsumer?.close()]);
    this.#lent?.giveBack();
    this.#subscription = this.#retryConsumer = this.#lent = undefined;
    this.dependencies.progress.forget(`${this.#name}:`);
  }

  async #take(records: readonly ReceivedRecord[]): Promise<void> {
    this.#throttle.countBatch();
    const { events, handler } = this.consumer;
    const wanted = events === undefined ? records : records.filter((record) => events.has(eventName(record)));
    const { retryStore } = this.dependencies;
    const { signal } = this.#closing;
    const failed = await FailedRecords.open(this.consumer, this.#policy, retryStore, wanted, signal);
    if (handler.takes === 'batch') await this.#handle(wanted, failed);
    else for (const record of wanted) await this.#handle([record], failed);
    await failed.store();
  }

  /** Blocked records, and records that cannot be decoded, are not passed to the handler. */
  async #handle(records: readonly ReceivedRecord[], failed: FailedRecords): Promise<void> {
    const events: ReceivedEvent[] = [];
    const origins: ReceivedRecord[] = [];
    for (const record of records) {
      if (failed.isBlocked(record)) failed.addBlocked(record);
      else
        try {
          events.push(toReceivedEvent(record, this.consumer.driver));
          origins.push(record);
        } catch (error) {
          failed.addFailed(record, error);
        }
    }
    if (events.length === 0) return;
    const now = Date.now();
    for (const { event, createdAt } of events)
      this.#meters.of(event).delay.observe(Math.max(0, now - createdAt) / 1_000);
    const errors = await this.#runner.run(events);
    if (errors.size === 0) return;
    for (const [at, event] of events.entries())
      if (errors.has(event)) failed.addFailed(origins[at]!, errors.get(event));
  }
}
