import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { InstantLane, Schedule } from '../../bus/index.js';
import type { BrokerStatus } from '../../metrics/index.js';
import type { Delivery } from '../delivery.js';

const RETRY_MS = 1_000;

export interface LaneConsumersOptions {
  /** Delayed messages in hand at a time. */
  readonly laneConcurrency: number;
  /** Longest wait of `close`, in ms. */
  readonly drainTimeoutMs: number;
}

interface Consumer {
  close(): Promise<void>;
}

/**
 * Takes what is due from both lanes and hands it to delivery. A message that the fan-out does not take stays with its
 * lane, which brings it again.
 */
export class LaneConsumers {
  readonly #logger = new Logger(LaneConsumers.name);
  readonly #closing = new AbortController();
  #opening: readonly Promise<Consumer | undefined>[] = [];

  constructor(
    private readonly instant: InstantLane,
    private readonly delayed: Schedule,
    private readonly delivery: Delivery,
    private readonly options: LaneConsumersOptions,
    private readonly status: BrokerStatus,
  ) {}

  /** Returns at once: a lane whose broker is away is joined when it comes back, and `status` says so meanwhile. */
  start(): void {
    const concurrency = this.options.laneConcurrency;
    this.#opening = [
      this.#open('instant', () =>
        this.instant.consume(async (message) => void (await this.delivery.publish(message, 'instant'))),
      ),
      this.#open('delayed', () =>
        this.delayed.consume(
          { concurrency },
          async (message) => void (await this.delivery.publish(message, 'delayed')),
        ),
      ),
    ];
    void this.#reportOpened();
  }

  /** Takes nothing more, and waits for what is in hand, but not for ever: a lane brings again what was not finished. */
  async close(): Promise<void> {
    this.#closing.abort();
    const finished = new AbortController();
    const closed = Promise.allSettled(this.#opening.map(async (consumer) => (await consumer)?.close()));
    const outcome = await Promise.race([
      closed,
      delay(this.options.drainTimeoutMs, 'late' as const, { signal: finished.signal }),
    ]);
    finished.abort();
    if (outcome === 'late') {
      this.#logger.warn(`gave up on messages in hand after ${this.options.drainTimeoutMs} ms`);
      return;
    }
    for (const result of outcome) {
      if (result.status === 'rejected') this.#logger.warn(`could not leave a lane: ${String(result.reason)}`);
    }
  }

  async #reportOpened(): Promise<void> {
    await Promise.all(this.#opening);
    if (!this.#closing.signal.aborted) this.status.up();
  }

  async #open(lane: string, consume: () => Promise<Consumer>): Promise<Consumer | undefined> {
    const { signal } = this.#closing;
    for (let told: string | undefined; !signal.aborted;) {
      try {
        return await consume();
      } catch (error) {
        const reason = `cannot consume the ${lane} lane: ${error instanceof Error ? error.message : String(error)}`;
        if (reason !== told) this.#logger.warn(reason);
        told = reason;
        this.status.down(reason);
        await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => {});
      }
    }
    return undefined;
  }
}
