import type { Consumer } from 'kafkajs';

interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** The requests that renew a member's session at the group coordinator. */
const RENEWALS = new Set(['Heartbeat', 'SyncGroup']);

/**
 * Whether this member of a consumer group still has its session, judged by its own clocks. The coordinator does not tell a
 * process that was suspended for longer than the session that its partitions now belong to others.
 */
export class SessionLiveness {
  #lastRequest = now();
  #renewedBy = this.#lastRequest;
  #renewed = Promise.withResolvers<void>();

  constructor(private readonly sessionTimeoutMs: number) {}

  /** The time in ms since the last successful renewal was requested. */
  get silenceMs(): number {
    return performance.now() - this.#renewedBy.monotonic;
  }

  /**
   * False before the coordinator can give the partitions to another member. It uses two clocks: the wall clock may be set, and
   * the monotonic clock does not run while the machine is suspended.
   */
  get isAlive(): boolean {
    return Math.max(this.silenceMs, Date.now() - this.#renewedBy.wall) < this.sessionTimeoutMs;
  }

  /** Resolves at once if the session is alive, and otherwise at the next renewal. */
  async renewed(): Promise<void> {
    if (!this.isAlive) await this.#renewed.promise;
  }

  follow(consumer: Pick<Consumer, 'events' | 'on'>): void {
    const { GROUP_JOIN, HEARTBEAT, REQUEST } = consumer.events;
    // A response may have waited while the process was suspended, so only the time at which its request was sent counts.
    consumer.on(REQUEST, ({ payload: { apiName, duration, sentAt } }) => {
      if (!RENEWALS.has(apiName)) return;
      this.#lastRequest = { monotonic: performance.now() - Math.max(0, duration), wall: sentAt };
    });
    consumer.on(HEARTBEAT, this.#renew);
    consumer.on(GROUP_JOIN, this.#renew);
  }

  readonly #renew = (): void => {
    this.#renewedBy = this.#lastRequest;
    this.#renewed.resolve();
    this.#renewed = Promise.withResolvers();
  };
}

function now(): Moment {
  return { monotonic: performance.now(), wall: Date.now() };
}
