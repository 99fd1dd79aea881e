import type { Consumer } from 'kafkajs';

interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** Requests by which the coordinator counts a member's session anew. */
const GRANTS = new Set(['Heartbeat', 'SyncGroup']);

/**
 * What the group thinks of this member. A process that stood still for longer than its session is not told that its
 * partitions were given to others, but it can tell by its own clocks, before it does anything else.
 */
export class SessionLiveness {
  #asked = now();
  #granted = this.#asked;
  #answered = Promise.withResolvers<void>();

  constructor(private readonly sessionTimeoutMs: number) {}

  /** How long ago the request was sent that the coordinator granted last. */
  get silenceMs(): number {
    return performance.now() - this.#granted.monotonic;
  }

  /**
   * Careful: it turns false before anybody else can be given the partitions. By two clocks, as one of them may be set, and the
   * other does not run while the machine is suspended.
   */
  get isSure(): boolean {
    return Math.max(this.silenceMs, Date.now() - this.#granted.wall) < this.sessionTimeoutMs;
  }

  /** Resolves when it is sure, or when the coordinator has said something. */
  async heard(): Promise<void> {
    if (!this.isSure) await this.#answered.promise;
  }

  follow(consumer: Pick<Consumer, 'events' | 'on'>): void {
    const { GROUP_JOIN, HEARTBEAT, REQUEST } = consumer.events;
    // Of an answer that lay there while the process stood still, only the time of the request says something.
    consumer.on(REQUEST, ({ payload: { apiName, duration, sentAt } }) => {
      if (!GRANTS.has(apiName)) return;
      this.#asked = { monotonic: performance.now() - Math.max(0, duration), wall: sentAt };
    });
    consumer.on(HEARTBEAT, this.#grant);
    consumer.on(GROUP_JOIN, this.#grant);
  }

  readonly #grant = (): void => {
    this.#granted = this.#asked;
    this.#answered.resolve();
    this.#answered = Promise.withResolvers();
  };
}

function now(): Moment {
  return { monotonic: performance.now(), wall: Date.now() };
}
