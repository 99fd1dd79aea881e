import { Logger } from '@nestjs/common';
import type { ScheduledMessage } from '../../message/index.js';
import type { ProgressReporter } from '../bus.port.js';
import { RepeatedWork } from '../progress-reports.js';
import type { ScheduleConsumer } from './schedule.port.js';
import {
  after,
  backoffMs,
  jittered,
  type RetryOptions,
  retryUntilDone,
  settlesWithin,
} from '../../async/index.js';

/** Replicas do not poll at the same time, and messages that failed together are not retried together. */
const JITTER = 0.25;

/** A due message that this process has claimed. */
export interface DueItem<Message extends { readonly id: string } = ScheduledMessage> {
  readonly message: Message;
  /** 1 for the first delivery. */
  readonly attempt: number;
}

export interface DueBatch<Item = DueItem> {
  /** Ordered by due time. */
  readonly items: readonly Item[];
  /** Time in ms until the next item may be claimed. Absent if none waits. */
  readonly nextInMs?: number;
}

/** What a store provides to the loop. A claimed item belongs to the loop until it is settled, released or abandoned. */
export interface DueStore<Item = DueItem> {
  claim(limit: number): Promise<DueBatch<Item>>;
  /** Removes an item that was delivered. */
  settle(item: Item): Promise<void>;
  /** Makes an item that was not delivered claimable again after `pauseMs`. */
  release(item: Item, pauseMs: number): Promise<void>;
  /** Called while closing, when an item can be neither settled nor released. Another process may claim it. */
  abandon(item: Item): void;
}

export interface DueLoopOptions {
  readonly concurrency: number;
  /** Longest sleep in ms: another process may add an item, or the clock may be set. */
  readonly pollIntervalMs: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  readonly closeTimeoutMs: number;
  readonly progress?: ProgressReporter | undefined;
}

/**
 * Claims items from a store when they are due and passes them to a handler, at most `concurrency` at the same time. It sleeps until
 * the next known due time, with one timer.
 */
export class DueLoop<Item extends DueItem<{ readonly id: string }> = DueItem> implements ScheduleConsumer {
  readonly #logger = new Logger(DueLoop.name);
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #claims: RepeatedWork;
  readonly #conclusions: RepeatedWork;
  readonly #retryOptions: RetryOptions = {
    pauseMs: (attempt) => this.#pauseAfter(attempt),
    onFailure: (error) => {
      this.#conclusions.failed(error);
      this.#logger.debug(`a claimed message is not settled yet: ${String(error)}`);
    },
    signal: this.#closing.signal,
  };
  #polling: Promise<void> | undefined;
  #pollAgain = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, on the monotonic clock. */
  #wakesAt = Infinity;
  #closed: Promise<void> | undefined;

  constructor(
    private readonly store: DueStore<Item>,
    private readonly handler: (message: Item['message']) => Promise<void>,
    private readonly options: DueLoopOptions,
  ) {
    this.#claims = new RepeatedWork(options.progress, 'claiming due messages');
    this.#conclusions = new RepeatedWork(options.progress, 'settling due messages');
    this.wakeIn(0);
  }

  /** Notifies the loop that an item becomes due in `ms`. */
  wakeIn(ms: number): void {
    if (this.#closing.signal.aborted) return;
    const sleepMs = Math.max(0, Math.min(Math.ceil(ms), this.options.pollIntervalMs));
    const wakesAt = performance.now() + sleepMs;
    if (wakesAt >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = wakesAt;
    this.#timer = after('poll for due messages', sleepMs, () => {
      this.#wakesAt = Infinity;
      this.#poll();
    });
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#polling;
    const { closeTimeoutMs } = this.options;
    if (!(await settlesWithin(closeTimeoutMs, Promise.all(this.#running)))) {
      this.#logger.warn(
        `${this.#running.size} message(s) were still being delivered after ${closeTimeoutMs} ms and will be delivered again`,
      );
    }
  }

  #poll(): void {
    if (this.#polling !== undefined) {
      this.#pollAgain = true;
      return;
    }
    this.#polling = this.#claimAndStart().finally(() => {
      this.#polling = undefined;
      if (this.#pollAgain) this.wakeIn(0);
      this.#pollAgain = false;
    });
  }

  async #claimAndStart(): Promise<void> {
    const free = this.options.concurrency - this.#running.size;
    // Without a free slot, the next handler that ends wakes the loop.
    if (free === 0 || this.#closing.signal.aborted) return;
    try {
      const { items, nextInMs = Infinity } = await this.store.claim(free);
      this.#claims.succeeded();
      for (const item of items) this.#start(item);
      if (items.length < free) this.wakeIn(Math.min(nextInMs, this.#pollPauseMs()));
      // More items may be due, and slots may have become free during the claim.
      else if (this.#running.size < this.options.concurrency) this.wakeIn(0);
    } catch (error) {
      this.#claims.failed(error);
      this.#logger.debug(`claiming due messages failed, trying again: ${String(error)}`);
      this.wakeIn(this.#pollPauseMs());
    }
  }

  #start(item: Item): void {
    const run = this.#deliver(item).finally(() => {
      const wasFull = this.#running.size === this.options.concurrency;
      this.#running.delete(run);
      if (wasFull) this.wakeIn(0);
    });
    this.#running.add(run);
  }

  async #deliver(item: Item): Promise<void> {
    if (this.#closing.signal.aborted) {
      // Claimed while closing. No handler has seen it, so another process may claim it at once.
      await this.#conclude(item, () => this.store.release(item, 0));
      return;
    }
    try {
      await this.handler(item.message);
    } catch (error) {
      const pauseMs = this.#pauseAfter(item.attempt);
      this.#logger.warn(
        `message ${item.message.id}: delivery failed (attempt ${item.attempt}), retrying in ${Math.round(pauseMs)} ms: ${String(error)}`,
      );
      await this.#conclude(item, () => this.store.release(item, pauseMs));
      return;
    }
    await this.#conclude(item, () => this.store.settle(item));
  }

  /** Retries until it succeeds, because a delivered message that is not settled is delivered twice. While closing it tries once. */
  async #conclude(item: Item, action: () => Promise<void>): Promise<void> {
    const concluded = await retryUntilDone(() => action().then(() => true), this.#retryOptions);
    if (concluded) {
      this.#conclusions.succeeded();
      return;
    }
    try {
      await action();
    } catch (error) {
      this.store.abandon(item);
      this.#logger.warn(
        `message ${item.message.id}: could not be settled before the shutdown and will be delivered again: ${String(error)}`,
      );
    }
  }

  #pollPauseMs(): number {
    return jittered(this.options.pollIntervalMs, JITTER);
  }

  #pauseAfter(attempt: number): number {
    const { retryInitialMs, retryMaxMs } = this.options;
    return jittered(backoffMs(attempt, retryInitialMs, retryMaxMs), JITTER);
  }
}
