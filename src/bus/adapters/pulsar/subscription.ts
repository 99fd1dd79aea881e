import { Logger } from '@nestjs/common';
import { after, backoffMs, endOfTurn, settlesWithin } from '../../../async/index.js';
import type { BusSubscription, RecordHandler } from '../../bus.port.js';
import type { ReceivedRecord } from '../../../message/index.js';
import type { PulsarDriverOptions } from './pulsar.options.js';
import { recordOf } from './record.js';
import type { PulsarConsumer, PulsarMessage } from './transport.js';

/** An unacknowledged record, and the consumer that received it. */
interface Delivery {
  readonly message: PulsarMessage;
  readonly consumer: PulsarConsumer;
  readonly record: ReceivedRecord;
}

interface Batch {
  readonly deliveries: readonly Delivery[];
  /** How often the handler of this process rejected it. */
  readonly rejections: number;
}

interface SubscriptionSettings {
  readonly group: string;
  readonly maxBatchSize: number;
  readonly concurrency: number;
  /** How long the first record of a batch waits for others, in ms. */
  readonly coalesceMs: number;
}

/**
 * Groups the delivered records into batches for the handler. The records of one key are in one batch at a time, in
 * order. A rejected batch blocks its keys until it succeeds; records with other keys pass it.
 *
 * A rejected batch is retried in this process, not negatively acknowledged. With `Key_Shared` the broker would
 * deliver it to the same member again, but after later records of the key.
 *
 * When the connection is lost, the broker delivers the unacknowledged records to any member. Records that no handler
 * has started are therefore dropped here.
 */
export class PulsarSubscription implements BusSubscription {
  readonly #logger = new Logger('PulsarBus');
  readonly #consumers: PulsarConsumer[] = [];
  /** Delivered records that no handler has started. */
  #waiting: Delivery[] = [];
  #isScheduled = false;
  /** Rejected batches whose pause is over. */
  #retries: Batch[] = [];
  /** Rejected batches during their pause, by its timer. */
  readonly #paused = new Map<NodeJS.Timeout, Batch>();
  readonly #busyKeys = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #isPaused = false;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly settings: SubscriptionSettings,
    private readonly options: PulsarDriverOptions,
    private readonly handler: RecordHandler,
    private readonly onClosed: (subscription: PulsarSubscription) => void,
  ) {}

  /** @param consume opens a consumer of `topic` that calls the given functions */
  add(
    topic: string,
    consume: (onMessage: (message: PulsarMessage) => void, onLost: () => void) => PulsarConsumer,
  ): void {
    const consumer = consume(
      (message) => {
        this.#waiting.push({ message, consumer, record: recordOf(topic, message) });
        this.#startHandlersSoon();
      },
      () => this.#connectionLost(consumer),
    );
    this.#consumers.push(consumer);
  }

  /** Resolves after the first attempt to subscribe to each topic, whether it succeeded or failed. */
  async attempted(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.attempted));
  }

  get group(): string {
    return this.settings.group;
  }

  pause(): void {
    this.#isPaused = true;
    for (const consumer of this.#consumers) consumer.pause();
  }

  resume(): void {
    this.#isPaused = false;
    for (const consumer of this.#consumers) consumer.resume();
    this.#startHandlers();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#waiting = [];
    for (const timer of this.#paused.keys()) clearTimeout(timer);
    await settlesWithin(this.options.drainTimeoutMs, Promise.all(this.#running));
    await Promise.all(this.#consumers.map((consumer) => consumer.close()));
    this.onClosed(this);
  }

  /** Waits for the records that can share a batch: those of this turn of the event loop, or of a moment. */
  #startHandlersSoon(): void {
    const { coalesceMs, maxBatchSize } = this.settings;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const start = () => {
      this.#isScheduled = false;
      this.#startHandlers();
    };
    if (coalesceMs > 0 && maxBatchSize > 1) after('start of the handlers', coalesceMs, start);
    else endOfTurn('start of the handlers', start);
  }

  #startHandlers(): void {
    while (!this.#isPaused && !this.#closing && this.#running.size < this.settings.concurrency) {
      const batch = this.#retries.shift() ?? this.#nextBatch();
      if (!batch) return;
      const run = this.#handle(batch).finally(() => {
        this.#running.delete(run);
        this.#startHandlers();
      });
      this.#running.add(run);
    }
  }

  /** Takes the oldest records whose keys are not busy, up to the batch size, from one partition of one topic. */
  #nextBatch(): Batch | undefined {
    const deliveries: Delivery[] = [];
    const skipped: Delivery[] = [];
    for (const delivery of this.#waiting) {
      if (deliveries.length === this.settings.maxBatchSize) break;
      const fits = !this.#busyKeys.has(keyOf(delivery)) && isSamePartition(delivery, deliveries[0]);
      (fits ? deliveries : skipped).push(delivery);
    }
    if (deliveries.length === 0) return undefined;
    this.#waiting = skipped.concat(this.#waiting.slice(deliveries.length + skipped.length));
    for (const delivery of deliveries) this.#busyKeys.add(keyOf(delivery));
    return { deliveries, rejections: 0 };
  }

  async #handle(batch: Batch): Promise<void> {
    try {
      await this.handler(recordsOf(batch));
    } catch (error) {
      const owned = batch.deliveries.filter(({ consumer, message }) => consumer.owns(message));
      this.#forget(batch.deliveries.filter((delivery) => !owned.includes(delivery)));
      if (owned.length > 0) this.#retryLater({ ...batch, deliveries: owned }, error);
      return;
    }
    for (const { consumer, message } of batch.deliveries) consumer.acknowledge(message);
    for (const delivery of batch.deliveries) this.#busyKeys.delete(keyOf(delivery));
  }

  /**
   * Drops what no handler is working on. All records of a batch come from one topic, and therefore from one consumer.
   */
  #connectionLost(consumer: PulsarConsumer): void {
    const isAffected = ({ deliveries }: Batch) => deliveries[0]?.consumer === consumer;
    for (const [timer, batch] of this.#paused) {
      if (!isAffected(batch)) continue;
      clearTimeout(timer);
      this.#paused.delete(timer);
      this.#forget(batch.deliveries);
    }
    for (const batch of this.#retries) if (isAffected(batch)) this.#forget(batch.deliveries);
    this.#retries = this.#retries.filter((batch) => !isAffected(batch));
    for (const delivery of this.#waiting)
      if (delivery.consumer === consumer) consumer.forget(delivery.message);
    this.#waiting = this.#waiting.filter((delivery) => delivery.consumer !== consumer);
  }

  #forget(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      delivery.consumer.forget(delivery.message);
      this.#busyKeys.delete(keyOf(delivery));
    }
  }

  #retryLater({ deliveries, rejections }: Batch, error: unknown): void {
    if (this.#closing) return;
    // A record of the batch that was forgotten may have had the key of one of these.
    for (const delivery of deliveries) this.#busyKeys.add(keyOf(delivery));
    const { retryInitialDelayMs, retryMaxDelayMs } = this.options;
    const pauseMs = backoffMs(rejections + 1, retryInitialDelayMs, retryMaxDelayMs);
    this.#logRejection({ deliveries, rejections }, pauseMs, error);
    const timer = after('retry of rejected records', pauseMs, () => {
      this.#paused.delete(timer);
      this.#retries.push({ deliveries, rejections: rejections + 1 });
      this.#startHandlers();
    });
    this.#paused.set(timer, { deliveries, rejections });
  }

  #logRejection({ deliveries, rejections }: Batch, pauseMs: number, error: unknown): void {
    const record = deliveries[0]?.record;
    this.#logger.warn(
      `Pulsar subscription ${this.settings.group}, topic ${record?.topic}: the handler rejected ${deliveries.length} ` +
        `record(s) from ${record?.position} on, attempt ${rejections + 1}, retrying in ${pauseMs} ms: ${String(error)}`,
    );
  }
}

function recordsOf({ deliveries, rejections }: Batch): ReceivedRecord[] {
  return deliveries.map(({ record }) =>
    rejections === 0 ? record : { ...record, attempt: record.attempt + rejections },
  );
}

function keyOf({ record: { topic, key, position } }: Delivery): string {
  return key === undefined ? `${topic}\0\0${position}` : `${topic}\0${key}`;
}

function isSamePartition({ record }: Delivery, first: Delivery | undefined): boolean {
  return !first || (record.topic === first.record.topic && record.partition === first.record.partition);
}
