import { Logger } from '@nestjs/common';
import { backoffMs, settlesWithin } from '../../../async/index.js';
import type { BusSubscription, RecordHandler } from '../../bus.port.js';
import type { ReceivedRecord } from '../../../message/index.js';
import type { PulsarDriverOptions } from './pulsar.options.js';
import { recordOf } from './record.js';
import type { PulsarConsumer, PulsarMessage } from './transport.js';

interface InHandRecord {
  readonly message: PulsarMessage;
  readonly consumer: PulsarConsumer;
  readonly record: ReceivedRecord;
}

interface Batch {
  readonly entries: readonly InHandRecord[];
  /** How often the handler rejected it here. */
  readonly rejections: number;
}

/**
 * Groups what is in hand into batches for the handler. The records of one key are in one batch at a time, in order, and a
 * rejected batch keeps its keys for itself until it succeeds: the others pass it by.
 *
 * A rejected batch is tried again here rather than refused to the broker. With `Key_Shared` the broker would give it
 * to the same member anyhow, but behind the key's later records.
 *
 * When the connection is lost, the broker gives what was in hand to whoever is there. What no handler has is left to it then.
 */
export class PulsarSubscription implements BusSubscription {
  readonly #logger = new Logger('PulsarBus');
  readonly #consumers: PulsarConsumer[] = [];
  #inHand: InHandRecord[] = [];
  #isArriving = false;
  #retries: Batch[] = [];
  readonly #pauses = new Map<NodeJS.Timeout, Batch>();
  readonly #busyKeys = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #isPaused = false;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly limits: { readonly maxBatchSize: number; readonly concurrency: number },
    private readonly options: PulsarDriverOptions,
    private readonly handler: RecordHandler,
    private readonly onClosed: (subscription: PulsarSubscription) => void,
  ) {}

  /** @param consume opens a consumer of `topic` that reports to the given callback */
  add(
    topic: string,
    consume: (onMessage: (message: PulsarMessage) => void, onLost: () => void) => PulsarConsumer,
  ): void {
    const consumer = consume(
      (message) => {
        this.#inHand.push({ message, consumer, record: recordOf(topic, message) });
        this.#handOverSoon();
      },
      () => this.#leaveToOthers(consumer),
    );
    this.#consumers.push(consumer);
  }

  /** Resolves when it is in force, or when it turned out that Pulsar does not answer: it is then made as soon as it does. */
  async decided(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.decided));
  }

  pause(): void {
    this.#isPaused = true;
    for (const consumer of this.#consumers) consumer.pause();
  }

  resume(): void {
    this.#isPaused = false;
    for (const consumer of this.#consumers) consumer.resume();
    this.#handOver();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#inHand = [];
    for (const pause of this.#pauses.keys()) clearTimeout(pause);
    await settlesWithin(this.options.drainTimeoutMs, Promise.all(this.#running));
    await Promise.all(this.#consumers.map((consumer) => consumer.close()));
    this.onClosed(this);
  }

  /** What else arrives in this turn of the event loop may share a batch. */
  #handOverSoon(): void {
    if (this.#isArriving) return;
    this.#isArriving = true;
    setImmediate(() => {
      this.#isArriving = false;
      this.#handOver();
    });
  }

  #handOver(): void {
    while (!this.#isPaused && !this.#closing && this.#running.size < this.limits.concurrency) {
      const batch = this.#retries.shift() ?? this.#nextBatch();
      if (!batch) return;
      const run = this.#handle(batch).finally(() => {
        this.#running.delete(run);
        this.#handOver();
      });
      this.#running.add(run);
    }
  }

  /** The oldest records whose keys are free, as many as fit and come from one partition of one topic. */
  #nextBatch(): Batch | undefined {
    const entries: InHandRecord[] = [];
    const passedBy: InHandRecord[] = [];
    for (const entry of this.#inHand) {
      if (entries.length === this.limits.maxBatchSize) break;
      const fits = !this.#busyKeys.has(keyOf(entry)) && isSamePartition(entry, entries[0]);
      (fits ? entries : passedBy).push(entry);
    }
    if (entries.length === 0) return undefined;
    this.#inHand = passedBy.concat(this.#inHand.slice(entries.length + passedBy.length));
    for (const entry of entries) this.#busyKeys.add(keyOf(entry));
    return { entries, rejections: 0 };
  }

  async #handle(batch: Batch): Promise<void> {
    try {
      await this.handler(recordsOf(batch));
    } catch (error) {
      const ours = batch.entries.filter(({ consumer, message }) => consumer.owns(message));
      this.#leave(batch.entries.filter((entry) => !ours.includes(entry)));
      if (ours.length > 0) this.#retryLater({ ...batch, entries: ours }, error);
      return;
    }
    for (const { consumer, message } of batch.entries) consumer.acknowledge(message);
    for (const entry of batch.entries) this.#busyKeys.delete(keyOf(entry));
  }

  /** A batch comes from one topic, and so from one consumer. */
  #leaveToOthers(consumer: PulsarConsumer): void {
    const isLost = ({ entries }: Batch) => entries[0]?.consumer === consumer;
    for (const [pause, batch] of this.#pauses) {
      if (!isLost(batch)) continue;
      clearTimeout(pause);
      this.#pauses.delete(pause);
      this.#leave(batch.entries);
    }
    for (const batch of this.#retries) if (isLost(batch)) this.#leave(batch.entries);
    this.#retries = this.#retries.filter((batch) => !isLost(batch));
    for (const entry of this.#inHand) if (entry.consumer === consumer) consumer.forget(entry.message);
    this.#inHand = this.#inHand.filter((entry) => entry.consumer !== consumer);
  }

  /** Of a batch that no handler has any more. */
  #leave(entries: readonly InHandRecord[]): void {
    for (const entry of entries) {
      entry.consumer.forget(entry.message);
      this.#busyKeys.delete(keyOf(entry));
    }
  }

  #retryLater({ entries, rejections }: Batch, error: unknown): void {
    if (this.#closing) return;
    // One that was left may have had a key of these.
    for (const entry of entries) this.#busyKeys.add(keyOf(entry));
    const { retryInitialDelayMs, retryMaxDelayMs } = this.options;
    const pauseMs = backoffMs(rejections + 1, retryInitialDelayMs, retryMaxDelayMs);
    this.#logger.warn(`a batch of ${entries.length} was rejected (${String(error)}); again in ${pauseMs} ms`);
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#retries.push({ entries, rejections: rejections + 1 });
      this.#handOver();
    }, pauseMs);
    this.#pauses.set(pause, { entries, rejections });
  }
}

function recordsOf({ entries, rejections }: Batch): ReceivedRecord[] {
  return entries.map(({ record }) =>
    rejections === 0 ? record : { ...record, attempt: record.attempt + rejections },
  );
}

function keyOf({ record: { topic, key, position } }: InHandRecord): string {
  return key === undefined ? `${topic}\0\0${position}` : `${topic}\0${key}`;
}

function isSamePartition({ record }: InHandRecord, first: InHandRecord | undefined): boolean {
  return !first || (record.topic === first.record.topic && record.partition === first.record.partition);
}
