import { Logger } from '@nestjs/common';
import type { RecordHandler } from '../../../bus.port.js';
import { backoffMs, type Semaphore } from '../../../../async/index.js';
import type { Watch } from './stream-notifier.js';
import { recordOf, type StreamEntry } from './entry.js';
import type { PartitionLease } from './partition-lease.js';
import type { RedisStreamsOptions } from '../redis.options.js';
import type { StreamPartition } from './partition.js';

/** What the lanes of one subscription have in common. */
export interface LaneContext {
  readonly group: string;
  readonly handler: RecordHandler;
  readonly maxBatchSize: number;
  readonly semaphore: Semaphore;
  readonly options: Pick<RedisStreamsOptions, 'readAhead' | 'retryInitialDelayMs' | 'retryMaxDelayMs'>;
  /** So many records of the partition were acknowledged. */
  readonly onAcknowledged: (partition: StreamPartition, count: number) => void;
}

/** A read under way, and where the stream was known to reach when it began. */
interface Read {
  readonly since: string;
  readonly answer: Promise<readonly StreamEntry[]>;
}

/** Handlers that await nothing would keep the event loop to themselves, and the leases would run out. */
const YIELD_AFTER_MS = 10;
/** Long enough to go with a read while there is traffic, short beside what a process that dies leaves unacknowledged anyway. */
const ACKNOWLEDGE_WITHIN_MS = 10;
const FAILURE_INITIAL_PAUSE_MS = 50;
const FAILURE_MAX_PAUSE_MS = 1_000;
const BEGINNING = '0-0';

/**
 * The records of one partition on their way through the handler, in order and one batch at a time, for as long as
 * the lease lasts: first what an owner before left unacknowledged, then what is new.
 */
export class PartitionLane {
  readonly #logger = new Logger('RedisBus');
  /** Handled, and not known to be acknowledged. */
  #handled: string[] = [];
  #acknowledging: Promise<void> | undefined;
  #acknowledgeTimer: NodeJS.Timeout | undefined;
  #atWork: Promise<unknown> | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;
  #yieldAt = 0;

  constructor(
    private readonly context: LaneContext,
    private readonly lease: PartitionLease,
    private readonly watch: Watch,
  ) {
    watch.report(lease.position);
    void this.#run();
  }

  /** Takes nothing more. Resolves when the handler has finished what it holds and that is acknowledged, if it can be. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.watch.close();
    this.#wake?.();
    await this.#atWork?.catch(() => {});
    clearTimeout(this.#acknowledgeTimer);
    await this.#acknowledge().catch(() => {});
  }

  get #goesOn(): boolean {
    return !this.#stopped && this.lease.isValid;
  }

  async #run(): Promise<void> {
    for (let failures = 0; this.#goesOn;) {
      try {
        if (failures > 0) await this.lease.retake();
        await this.#acknowledge();
        await this.#handleInherited();
        failures = 0;
        await this.#handleNew();
      } catch (error) {
        // Whether the group was given what was asked for is uncertain. If so it is pending, and is claimed under a new token.
        if (failures++ === 0) this.#logger.warn(`${this.#name()}: ${String(error)}`);
        await this.#pause(backoffMs(failures, FAILURE_INITIAL_PAUSE_MS, FAILURE_MAX_PAUSE_MS));
      }
    }
  }

  async #handleInherited(): Promise<void> {
    let cursor = BEGINNING;
    do {
      const { next, entries } = await this.lease.claim(cursor, this.context.options.readAhead);
      await this.#handleAll(entries);
      cursor = next;
    } while (cursor !== BEGINNING && this.#goesOn);
  }

  async #handleNew(): Promise<void> {
    let ahead: Read | undefined;
    while (this.#goesOn) {
      const { since, answer } = ahead ?? this.#read();
      const entries = await answer;
      ahead = undefined;
      const last = entries.at(-1)?.[0].toString('latin1');
      if (last !== undefined) this.watch.report(last);
      const isFull = entries.length === this.context.options.readAhead;
      // A read that was full is probably followed by another, which the handler need not wait for then.
      if (isFull) ahead = this.#read();
      await this.#handleAll(entries);
      if (!isFull && this.#goesOn) await this.watch.growth(last ?? since);
    }
  }

  #read(): Read {
    const since = this.watch.position;
    const answer = this.#exchange(this.context.options.readAhead);
    // It may fail while a handler is at work; the loop hears of it when it comes to wait.
    answer.catch(() => {});
    return { since, answer };
  }

  async #handleAll(entries: readonly StreamEntry[]): Promise<void> {
    const { maxBatchSize } = this.context;
    let attempt = 1;
    for (let start = 0; start < entries.length;) {
      const batch = entries.slice(start, start + maxBatchSize);
      const outcome = await this.#handle(batch, attempt);
      if (outcome === 'refused') return;
      if (outcome === 'rejected') {
        await this.#pause(this.#delayAfter(attempt++));
        continue;
      }
      start += batch.length;
      attempt = 1;
      if (performance.now() >= this.#yieldAt) await this.#yield();
    }
  }

  async #handle(batch: readonly StreamEntry[], attempt: number): Promise<'handled' | 'rejected' | 'refused'> {
    const { semaphore } = this.context;
    await semaphore.acquire();
    try {
      if (!this.#goesOn) return 'refused';
      const work = this.#deliver(batch, attempt);
      this.#atWork = work;
      await work;
      return 'handled';
    } catch (error) {
      this.#logger.warn(
        `${this.#name()} rejected ${batch.length} record(s) from ${batch[0]?.[0].toString('latin1')}, ` +
          `attempt ${attempt}, again in ${this.#delayAfter(attempt)} ms: ${String(error)}`,
      );
      return 'rejected';
    } finally {
      this.#atWork = undefined;
      semaphore.release();
    }
  }

  async #deliver(batch: readonly StreamEntry[], attempt: number): Promise<void> {
    const records = batch.map((entry) => recordOf(entry, this.lease.partition, attempt));
    await this.context.handler(records);
    for (const { position } of records) this.#handled.push(position);
    this.#acknowledgeSoon();
  }

  /** With the next read, or by itself where that is not made soon. */
  #acknowledgeSoon(): void {
    this.#acknowledgeTimer ??= setTimeout(() => {
      this.#acknowledgeTimer = undefined;
      this.#acknowledge().catch(() => {
        if (this.#goesOn) this.#acknowledgeSoon();
      });
    }, ACKNOWLEDGE_WITHIN_MS);
  }

  /** One exchange at a time; what is handled meanwhile shares the next. */
  async #acknowledge(): Promise<void> {
    while (this.#handled.length > 0 || this.#acknowledging !== undefined) {
      this.#acknowledging ??= this.#exchange(0).then(
        () => (this.#acknowledging = undefined),
        (error: unknown) => {
          this.#acknowledging = undefined;
          throw error;
        },
      );
      await this.#acknowledging;
    }
  }

  async #exchange(count: number): Promise<readonly StreamEntry[]> {
    const ids = this.#handled;
    this.#handled = [];
    try {
      const entries = await this.lease.read(count, ids);
      if (ids.length > 0) this.context.onAcknowledged(this.lease.partition, ids.length);
      return entries;
    } catch (error) {
      this.#handled = [...ids, ...this.#handled];
      throw error;
    }
  }

  async #pause(ms: number): Promise<void> {
    if (!this.#goesOn) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #yield(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#yieldAt = performance.now() + YIELD_AFTER_MS;
  }

  #delayAfter(attempt: number): number {
    const { retryInitialDelayMs, retryMaxDelayMs } = this.context.options;
    return backoffMs(attempt, retryInitialDelayMs, retryMaxDelayMs);
  }

  #name(): string {
    const { topic, number } = this.lease.partition;
    return `group ${this.context.group} on ${topic}/${number}`;
  }
}
