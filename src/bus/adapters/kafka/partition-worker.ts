import { Logger } from '@nestjs/common';
import type { KafkaMessage } from 'kafkajs';
import type { RecordHandler } from '../../bus.port.js';
import type { ReceivedRecord } from '../../../message/index.js';
import { backoffMs, CancellableSleep, type Semaphore } from '../../../async/index.js';
import type { KafkaDriverOptions } from './kafka.options.js';
import type { SessionLiveness } from './group-membership.js';

/** What the lanes of one subscription have in common. */
export interface WorkerContext {
  readonly group: string;
  readonly handler: RecordHandler;
  readonly maxBatchSize: number;
  readonly semaphore: Semaphore;
  readonly standing: Pick<SessionLiveness, 'isSure' | 'heard'>;
  readonly options: KafkaDriverOptions;
  /** Everything of the partition before `offset` is handled. */
  onHandled(lane: PartitionWorker, offset: string): void;
}

/** Handlers that await nothing would keep the event loop to themselves; after this long it gets its turn. */
const YIELD_AFTER_MS = 10;
/** Fetches that may wait in a lane: one at work, one so that the handler need not wait for the next. */
const FETCHES_IN_LANE = 2;

/**
 * The records of one partition on their way through the handler, in order and one chunk at a time. A lane runs apart from
 * kafkajs's fetch loop, so that a slow handler or a back-off in one partition does not hold up the others or the heartbeats.
 */
export class PartitionWorker {
  readonly #logger = new Logger('KafkaBus');
  readonly #fetches: (readonly KafkaMessage[])[] = [];
  #running = false;
  readonly #backoff = new CancellableSleep();
  #hasRoom = Promise.withResolvers<void>();

  constructor(
    private readonly context: WorkerContext,
    readonly topic: string,
    readonly partition: number,
  ) {}

  get isFull(): boolean {
    return !this.isDropped && this.#fetches.length >= FETCHES_IN_LANE;
  }

  get isDropped(): boolean {
    return this.#backoff.isCancelled;
  }

  /** Resolves when the lane can take another fetch, or was dropped. */
  async room(): Promise<void> {
    if (this.isFull) await this.#hasRoom.promise;
  }

  push(messages: readonly KafkaMessage[]): void {
    this.#fetches.push(messages);
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  /** Forgets what it holds: the partition is not ours any more, or is fetched anew. A handler at work finishes. */
  drop(): void {
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

  /** False when the rest is not to be handled here. */
  async #handleAll(messages: readonly KafkaMessage[]): Promise<boolean> {
    const { maxBatchSize } = this.context;
    let yieldAt = performance.now() + YIELD_AFTER_MS;
    for (let start = 0, attempt = 1; start < messages.length;) {
      const chunk = messages.slice(start, start + maxBatchSize);
      const outcome = await this.#handle(chunk, attempt);
      if (outcome === 'handled') {
        start += chunk.length;
        attempt = 1;
      } else if (outcome === 'rejected') {
        await this.#pauseAfter(attempt++);
      } else if (outcome === 'unsure') {
        // If the partition is somebody else's by now, this is dropped before it goes on.
        await this.context.standing.heard();
      }
      if (outcome === 'refused') return false;
      if (performance.now() >= yieldAt) {
        await new Promise((resolve) => setImmediate(resolve));
        yieldAt = performance.now() + YIELD_AFTER_MS;
      }
    }
    return true;
  }

  async #handle(
    chunk: readonly KafkaMessage[],
    attempt: number,
  ): Promise<'handled' | 'rejected' | 'unsure' | 'refused'> {
    const { semaphore, standing, handler } = this.context;
    if (!(await semaphore.acquire())) return 'refused';
    try {
      if (this.isDropped) return 'refused';
      if (!standing.isSure) return 'unsure';
      await handler(chunk.map((message) => this.#received(message, attempt)));
      this.context.onHandled(this, offsetAfter(chunk));
      return 'handled';
    } catch (error) {
      this.#report(chunk, attempt, error);
      return 'rejected';
    } finally {
      semaphore.release();
    }
  }

  async #pauseAfter(attempt: number): Promise<void> {
    await this.#backoff.sleep(this.#delayAfter(attempt));
  }

  #delayAfter(attempt: number): number {
    const { retryInitialDelayMs, retryMaxDelayMs } = this.context.options;
    return backoffMs(attempt, retryInitialDelayMs, retryMaxDelayMs);
  }

  #report(chunk: readonly KafkaMessage[], attempt: number, error: unknown): void {
    this.#logger.warn(
      `group ${this.context.group} rejected ${chunk.length} record(s) from ` +
        `${this.topic}/${this.partition}/${chunk[0]?.offset}, attempt ${attempt}, ` +
        `again in ${this.#delayAfter(attempt)} ms: ${String(error)}`,
    );
  }

  #received(message: KafkaMessage, attempt: number): ReceivedRecord {
    const { key, value, headers, offset, timestamp } = message;
    return {
      topic: this.topic,
      partition: this.partition,
      position: offset,
      ...(key === null ? {} : { key: key.toString() }),
      headers: headers === undefined ? {} : textHeaders(headers),
      value: value ?? Buffer.alloc(0),
      publishedAt: Number(timestamp),
      attempt,
    };
  }
}

/** Of a header that is there several times the last one counts. */
function textHeaders(headers: NonNullable<KafkaMessage['headers']>): Record<string, string> {
  const text: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined) text[name] = last.toString();
  }
  return text;
}

function offsetAfter(chunk: readonly KafkaMessage[]): string {
  return String(BigInt(chunk.at(-1)?.offset ?? -1) + 1n);
}
