import { type Rate, RateLimit } from '../limits/index.js';

/** Callers remembered before those that have rested are forgotten, and then the oldest. */
const MAX_CALLERS = 100_000;

/** A rate limit for each caller. One whose time has passed needs no memory. */
export class RateLimiter {
  readonly #limit: RateLimit | undefined;
  readonly #states = new Map<string, number>();

  /** @param rate none where `perSecond` is 0 */
  constructor(
    rate: Rate,
    private readonly maxCallers = MAX_CALLERS,
  ) {
    if (rate.perSecond > 0) this.#limit = new RateLimit(rate);
  }

  /**
   * Counts one call.
   * @param nowMs a clock that does not jump
   * @returns 0 if it is within the rate, else how long until one is, in ms
   */
  take(caller: string, nowMs = performance.now()): number {
    if (this.#limit === undefined) return 0;
    const state = this.#states.get(caller) ?? 0;
    const next = this.#limit.next(state, nowMs);
    if (next === undefined) return this.#limit.waitMs(state, nowMs);
    // Deleted first, so that the map is in the order of the last call.
    this.#states.delete(caller);
    this.#states.set(caller, next);
    if (this.#states.size > this.maxCallers) this.#forget(nowMs);
    return 0;
  }

  #forget(nowMs: number): void {
    for (const [caller, state] of this.#states) if (state <= nowMs) this.#states.delete(caller);
    for (const caller of this.#states.keys()) {
      // Down to nine tenths, so that the sweep is rare.
      if (this.#states.size <= this.maxCallers * 0.9) return;
      this.#states.delete(caller);
    }
  }
}
