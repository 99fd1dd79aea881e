import { Logger } from '@nestjs/common';
import { backoffMs, CancellableSleep, inBackground, type Semaphore } from '../../../../async/index.js';
import type { ProgressReporter, RecordHandler } from '../../../bus.port.js';
import { RepeatedWork } from '../../../progress-reports.js';
import type { RedisStreamsOptions } from '../redis.options.js';
import type { PartitionReader } from './assignment.js';
import { recordOf, type StreamEntry } from './entry.js';
import type { PartitionLease } from './partition-lease.js';
import { PendingAcks } from './pending-acks.js';
import type { StreamPartition } from './stream-keys.js';
import type { StreamWatch } from './stream-notifier.js';

/** The objects that the partition workers of one subscription share. */
export interface PartitionWorkerContext {
  readonly group: string;
  readonly handler: RecordHandler;
  readonly maxBatchSize: number;
  readonly semaphore: Semaphore;
  readonly options: Pick<RedisStreamsOptions, 'readAhead' | 'retryInitialDelayMs' | 'retryMaxDelayMs'>;
  readonly progress: ProgressReporter | undefined;
  /** Called with the number of records of the partition that were acknowledged. */
  readonly onAcknowledged: (partition: StreamPartition, count: number) => void;
}

/** A read in progress, and the known position of the stream when it began. */
interface Read {
  readonly since: string;
  readonly entries: Promise<readonly StreamEntry[]>;
}

/** Time before a worker yields to the event loop. Otherwise handlers that await nothing would block it until the leases expire. */
const YIELD_AFTER_MS = 10;
const FAILURE_INITIAL_PAUSE_MS = 50;
const FAILURE_MAX_PAUSE_MS = 1_000;
const BEGINNING = '0-0';

/**
 * Passes the records of one partition to the handler, in order and one batch at a time, while the lease is valid:
 * first what earlier owners left unacknowledged, then new records.
 */
export class PartitionWorker implements PartitionReader {
  readonly #logger = new Logger('RedisBus');
  readonly #acks: PendingAcks;
  readonly #pauses = new CancellableSleep();
  readonly #reads: RepeatedWork;
  #handling: Promise<unknown> | undefined;
  #stopped = false;
  #yieldAt = 0;

  constructor(
    private readonly context: PartitionWorkerContext,
    private readonly lease: PartitionLease,
    private readonly watch: StreamWatch,
  ) {
    this.#acks = new PendingAcks(lease, (count) => context.onAcknowledged(lease.partition, count));
    const { topic, number } = lease.partition;
    this.#reads = new RepeatedWork(context.progress, `reading from ${topic}/${number}`);
    watch.report(lease.position);
    inBackground('reading of a partition', () => this.#run());
  }

  /**
   * Stops reading. Resolves when the handler has finished its batch and the acknowledgement was sent, if that is
   * possible.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.watch.close();
    this.#pauses.cancel();
    await this.#handling?.catch(() => {});
    await this.#acks.close();
    this.#reads.succeeded();
  }

  get #isActive(): boolean {
    return !this.#stopped && this.lease.isValid;
  }

  async #run(): Promise<void> {
    for (let failures = 0; this.#isActive;) {
      try {
        if (failures > 0) await this.lease.retake();
        await this.#acks.flush();
        await this.#handlePending();
        failures = 0;
        await this.#handleNew();
      } catch (error) {
        // It is not known whether Redis executed the read. If it did, the records are pending, and are claimed under
        // a new token.
        this.#reads.failed(error);
        if (failures++ === 0) this.#logger.warn(`${this.#name()}: cannot read, retrying: ${String(error)}`);
        await this.#pause(backoffMs(failures, FAILURE_INITIAL_PAUSE_MS, FAILURE_MAX_PAUSE_MS));
      }
    }
  }

  async #handlePending(): Promise<void> {
    let cursor = BEGINNING;
    do {
      const { next, entries } = await this.lease.claim(cursor, this.context.options.readAhead);
      await this.#handleAll(entries);
      cursor = next;
    } while (cursor !== BEGINNING && this.#isActive);
  }

  async #handleNew(): Promise<void> {
    let ahead: Read | undefined;
    while (this.#isActive) {
      const read = ahead ?? this.#read();
      const entries = await read.entries;
      this.#reads.succeeded();
      ahead = undefined;
      const last = entries.at(-1)?.[0].toString('latin1');
      if (last !== undefined) this.watch.report(last);
      const isFull = entries.length === this.context.options.readAhead;
      // After a full read there are probably more records: read them while the handler works.
      if (isFull) ahead = this.#read();
      await this.#handleAll(entries);
      if (!isFull && this.#isActive) await this.watch.grownBeyond(last ?? read.since);
    }
  }

  #read(): Read {
    const since = this.watch.position;
    const entries = this.#acks.read(this.context.options.readAhead);
    // It may fail while the handler works. The loop receives the error when it awaits the read.
    entries.catch(() => {});
    return { since, entries };
  }

  async #handleAll(entries: readonly StreamEntry[]): Promise<void> {
    const { maxBatchSize } = this.context;
    let attempt = 1;
    for (let start = 0; start < entries.length;) {
      const batch = entries.slice(start, start + maxBatchSize);
      const outcome = await this.#handle(batch, attempt);
      if (outcome === 'stopped') return;
      if (outcome === 'rejected') {
        await this.#pause(this.#delayAfter(attempt++));
        continue;
      }
      start += batch.length;
      attempt = 1;
      if (performance.now() >= this.#yieldAt) await this.#yield();
    }
  }

  async #handle(batch: readonly StreamEntry[], attempt: number): Promise<'handled' | 'rejected' | 'stopped'> {
    const { semaphore } = this.context;
    await semaphore.acquire();
    try {
      if (!this.#isActive) return 'stopped';
      const work = this.#deliver(batch, attempt);
      this.#handling = work;
      await work;
      return 'handled';
    } catch (error) {
      this.#logger.warn(
        `${this.#name()}: the handler rejected ${batch.length} record(s) from ${batch[0]?.[0].toString('latin1')} on, ` +
          `attempt ${attempt}, retrying in ${this.#delayAfter(attempt)} ms: ${String(error)}`,
      );
      return 'rejected';
    } finally {
      this.#handling = undefined;
      semaphore.release();
    }
  }

  async #deliver(batch: readonly StreamEntry[], attempt: number): Promise<void> {
    const records = batch.map((entry) => recordOf(entry, this.lease.partition, attempt));
    await this.context.handler(records);
    this.#acks.add(records);
  }

  async #pause(ms: number): Promise<void> {
    if (this.#isActive) await this.#pauses.sleep(ms);
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
    return `Redis consumer group ${this.context.group}, partition ${topic}/${number}`;
  }
}
