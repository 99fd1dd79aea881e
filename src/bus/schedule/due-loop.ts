import { Logger } from '@nestjs/common';
import type { ScheduledMessage } from '../../message/index.js';
import type { ScheduleConsumer } from './schedule.port.js';
import { backoffMs, jittered, type RetryOptions, retryUntilDone, settlesWithin } from '../../async/index.js';

const JITTER = 0.25;

/** A due message in the hands of this process. */
export interface DueItem<Message extends { readonly id: string } = ScheduledMessage> {
  readonly message: Message;
  /** 1 at the first hand-over. */
  readonly attempt: number;
}

export interface DueBatch<Item = DueItem> {
  /** By due time. */
  readonly items: readonly Item[];
  /** Time in ms until the next one may be claimed; absent where none waits. */
  readonly nextInMs?: number;
}

/** What a store offers to the loop. A claim belongs to the loop until it settles or releases it. */
export interface DueStore<Item = DueItem> {
  claim(limit: number): Promise<DueBatch<Item>>;
  /** The message was handed over: forget it. */
  settle(item: Item): Promise<void>;
  /** It was not: let it be claimed again after `pauseMs`. */
  release(item: Item, pauseMs: number): Promise<void>;
  /** Neither worked, and the loop is closing: whoever comes next may have it. */
  abandon(item: Item): void;
}

export interface DueLoopOptions {
  readonly concurrency: number;
  /** Longest sleep in ms: others may have added something, or the clock may have been set meanwhile. */
  readonly pollIntervalMs: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  readonly closeTimeoutMs: number;
}

/**
 * Takes messages out of a store as they become due and hands them to a handler, at most `concurrency` at a time. It
 * sleeps until the next one that it knows of, with one timer.
 */
export class DueLoop<Item extends DueItem<{ readonly id: string }> = DueItem> implements ScheduleConsumer {
  readonly #logger = new Logger(DueLoop.name);
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #retryOptions: RetryOptions = {
    pauseMs: (attempt) => this.#pauseMs(attempt),
    onFailure: (error) => this.#logger.debug(`a message is not settled yet: ${String(error)}`),
    signal: this.#closing.signal,
  };
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer goes off, on the clock that never jumps. */
  #wakesAt = Infinity;
  #closed: Promise<void> | undefined;

  constructor(
    private readonly store: DueStore<Item>,
    private readonly handler: (message: Item['message']) => Promise<void>,
    private readonly options: DueLoopOptions,
  ) {
    this.wakeIn(0);
  }

  /** Says that a message becomes due in `ms`, which the loop may not know yet. */
  wakeIn(ms: number): void {
    if (this.#closing.signal.aborted) return;
    const sleepMs = Math.max(0, Math.min(Math.ceil(ms), this.options.pollIntervalMs));
    const wakesAt = performance.now() + sleepMs;
    if (wakesAt >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = wakesAt;
    this.#timer = setTimeout(() => {
      this.#wakesAt = Infinity;
      this.#look();
    }, sleepMs);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#looking;
    if (!(await settlesWithin(this.options.closeTimeoutMs, Promise.all(this.#running)))) {
      this.#logger.warn(`${this.#running.size} messages were still being handed over; they will come again`);
    }
  }

  #look(): void {
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#claimAndStart().finally(() => {
      this.#looking = undefined;
      if (this.#lookAgain) this.wakeIn(0);
      this.#lookAgain = false;
    });
  }

  async #claimAndStart(): Promise<void> {
    const free = this.options.concurrency - this.#running.size;
    // Without a free place, the handler that ends first looks again.
    if (free === 0 || this.#closing.signal.aborted) return;
    try {
      const { items, nextInMs = Infinity } = await this.store.claim(free);
      for (const item of items) this.#start(item);
      if (items.length < free) this.wakeIn(Math.min(nextInMs, this.#lookInMs()));
      // More may be due, and places may have become free while the store was asked.
      else if (this.#running.size < this.options.concurrency) this.wakeIn(0);
    } catch (error) {
      // The store reports its own state; here it is only asked again.
      this.#logger.debug(`nothing could be claimed: ${String(error)}`);
      this.wakeIn(this.#lookInMs());
    }
  }

  #start(item: Item): void {
    const run = this.#handOver(item).finally(() => {
      const wasFull = this.#running.size === this.options.concurrency;
      this.#running.delete(run);
      if (wasFull) this.wakeIn(0);
    });
    this.#running.add(run);
  }

  async #handOver(item: Item): Promise<void> {
    if (this.#closing.signal.aborted) {
      // Claimed while closing: nobody has seen it, so another process may have it at once.
      await this.#conclude(item, () => this.store.release(item, 0));
      return;
    }
    try {
      await this.handler(item.message);
    } catch (error) {
      const pauseMs = this.#pauseMs(item.attempt);
      this.#logger.warn(
        `message ${item.message.id} was not handed over (attempt ${item.attempt}), again in ${Math.round(pauseMs)} ms: ${String(error)}`,
      );
      await this.#conclude(item, () => this.store.release(item, pauseMs));
      return;
    }
    await this.#conclude(item, () => this.store.settle(item));
  }

  /** Insists, because a message that was handed over and is not settled comes twice. While closing it tries once more. */
  async #conclude(item: Item, action: () => Promise<void>): Promise<void> {
    const concluded = await retryUntilDone(() => action().then(() => true), this.#retryOptions);
    if (concluded) return;
    try {
      await action();
    } catch (error) {
      this.store.abandon(item);
      this.#logger.warn(
        `message ${item.message.id} could not be settled and will come again: ${String(error)}`,
      );
    }
  }

  /** With jitter, so that replicas do not look in step. */
  #lookInMs(): number {
    return jittered(this.options.pollIntervalMs, JITTER);
  }

  /** Jitter keeps messages that failed together from coming back together. */
  #pauseMs(attempt: number): number {
    const { retryInitialMs, retryMaxMs } = this.options;
    return jittered(backoffMs(attempt, retryInitialMs, retryMaxMs), JITTER);
  }
}
