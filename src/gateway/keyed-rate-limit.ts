import { RateLimit, type Rate } from '../limits/index.js';

/** How many keys are remembered before those that have rested are looked for. */
const SWEEP_SIZE = 1_024;

/** A rate limit for subjects that nobody else keeps a record of, such as addresses. */
export class KeyedRateLimit {
  readonly #limit: RateLimit;
  readonly #states = new Map<string, number>();
  #sweepSize = SWEEP_SIZE;

  constructor(rate: Rate) {
    this.#limit = new RateLimit(rate);
  }

  /** Answers whether one more is within the rate. */
  admits(key: string, nowMs: number): boolean {
    const state = this.#limit.next(this.#states.get(key) ?? 0, nowMs);
    if (state === undefined) return false;
    this.#states.set(key, state);
    if (this.#states.size > this.#sweepSize) this.#sweep(nowMs);
    return true;
  }

  /** A state that lies in the past is that of a new subject. */
  #sweep(nowMs: number): void {
    for (const [key, state] of this.#states) if (state <= nowMs) this.#states.delete(key);
    // Doubled, so that the cost of a sweep is spread over as many newcomers.
    this.#sweepSize = Math.max(SWEEP_SIZE, this.#states.size * 2);
  }
}
