import { Logger } from '@nestjs/common';
import type { KafkaMessage } from 'kafkajs';
import type { RecordHandler } from '../../bus.port.js';
import { backoffMs, CancellableSleep, inBackground, type Semaphore } from '../../../async/index.js';
import type { KafkaDriverOptions } from './kafka.options.js';
import { toReceivedRecord } from './received-record.js';
import type { SessionLiveness } from './session-liveness.js';

/** The objects that the partition workers of one subscription share. */
export interface WorkerContext {
  readonly group: string;
  readonly handler: RecordHandler;
  readonly maxBatchSize: number;
  readonly semaphore: Semaphore;
  readonly session: Pick<SessionLiveness, 'isAlive' | 'renewed'>;
  readonly options: KafkaDriverOptions;
  /** Called when every record of the partition before `offset` is handled. */
  onHandled(worker: PartitionWorker, offset: string): void;
}

/** A handler that awaits nothing would block the event loop, so a worker yields after this time. */
const YIELD_AFTER_MS = 10;
/** Fetches that a worker holds: the one in progress, and the next one, so that the handler does not wait for it. */
const MAX_FETCHES = 2;

/**
 * Passes the records of one partition to the handler, in order and one batch at a time. It runs independently of kafkajs's fetch
 * loop, so a slow handler or a backoff in one partition delays neither the other partitions nor the heartbeats.
 */
export class PartitionWorker {
  readonly #logger = new Logger('KafkaBus');
  readonly #fetches: (readonly KafkaMessage[])[] = [];
  readonly #backoff = new CancellableSleep();
  #running = false;
  #hasRoom = Promise.withResolvers<void>();

  constructor(
    private readonly context: WorkerContext,
    readonly topic: string,
    readonly partition: number,
  ) {}

  get isFull(): boolean {
    return !this.isStopped && this.#fetches.length >= MAX_FETCHES;
  }

  get isStopped(): boolean {
    return this.#backoff.isCancelled;
  }

  /** Resolves when the worker accepts another fetch, or is stopped. */
  async room(): Promise<void> {
    if (this.isFull) await this.#hasRoom.promise;
  }

  push(messages: readonly KafkaMessage[]): void {
    this.#fetches.push(messages);
    if (this.#running) return;
    this.#running = true;
    inBackground('handling of a partition', () => this.#run());
  }

  /** Discards the records that it holds: the partition was revoked, or is fetched again. A handler in progress finishes. */
  stop(): void {
    this.#backoff.cancel();
    this.#hasRoom.resolve();
  }

  async #run(): Promise<void> {
    for (let messages = this.#fetches[0]; messages !== undefined; messages = this.#fetches[0]) {
      if (!(await this.#handleAll(messages))) return;
      this.#fetches.shift();
      this.#hasRoom.resolve();
      this.#hasRoom = Promise.withResolvers();
    }
    this.#running = false;
  }

  /** Resolves to false if the rest must not be handled here. */
  async #handleAll(messages: readonly KafkaMessage[]): Promise<boolean> {
    const { maxBatchSize } = this.context;
    let yieldAt = performance.now() + YIELD_AFTER_MS;
    for (let start = 0, attempt = 1; start < messages.length;) {
      const batch = messages.slice(start, start + maxBatchSize);
      const outcome = await this.#handle(batch, attempt);
      if (outcome === 'handled') {
        start += batch.length;
        attempt = 1;
      } else if (outcome === 'rejected') {
        await this.#backoff.sleep(this.#pauseAfter(attempt++));
      } else if (outcome === 'session lost') {
        // If another member owns the partition by now, this worker is stopped before the session is renewed.
        await this.context.session.renewed();
      }
      if (outcome === 'stopped') return false;
      if (performance.now() >= yieldAt) {
        await new Promise((resolve) => setImmediate(resolve));
        yieldAt = performance.now() + YIELD_AFTER_MS;
      }
    }
    return true;
  }

  async #handle(
    batch: readonly KafkaMessage[],
    attempt: number,
  ): Promise<'handled' | 'rejected' | 'session lost' | 'stopped'> {
    const { semaphore, session, handler } = this.context;
    if (!(await semaphore.acquire())) return 'stopped';
    try {
      if (this.isStopped) return 'stopped';
      if (!session.isAlive) return 'session lost';
      await handler(batch.map((message) => toReceivedRecord(this, message, attempt)));
      this.context.onHandled(this, offsetAfter(batch));
      return 'handled';
    } catch (error) {
      this.#logRejection(batch, attempt, error);
      return 'rejected';
    } finally {
      semaphore.release();
    }
  }

  #pauseAfter(attempt: number): number {
    const { retryInitialDelayMs, retryMaxDelayMs } = this.context.options;
    return backoffMs(attempt, retryInitialDelayMs, retryMaxDelayMs);
  }

  #logRejection(batch: readonly KafkaMessage[], attempt: number, error: unknown): void {
    const first = `${this.topic}/${this.partition}/${batch[0]?.offset}`;
    this.#logger.warn(
      `Kafka consumer group ${this.context.group}: handler rejected ${batch.length} record(s) from ${first} ` +
        `(attempt ${attempt}), retrying in ${this.#pauseAfter(attempt)} ms: ${String(error)}`,
    );
  }
}

function offsetAfter(batch: readonly KafkaMessage[]): string {
  return String(BigInt(batch.at(-1)?.offset ?? -1) + 1n);
}
