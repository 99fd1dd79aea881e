export interface RateLimit {
  /** Sustained calls a second of one caller. 0: no limit. */
  readonly perSecond: number;
  /** Calls that may come at once after a rest. */
  readonly burst: number;
}

/** Callers remembered before those that have rested are forgotten, and then the oldest. */
const MAX_CALLERS = 100_000;

/** By which sums of fractional times may be off. Without it the last call of a burst is refused now and then. */
const ROUNDING_MS = 0.001;

/**
 * A token bucket per caller, kept as one number: the time at which the bucket would be full again (GCRA). A caller whose
 * time has passed needs no memory.
 */
export class RateLimiter {
  readonly #fullAt = new Map<string, number>();
  readonly #intervalMs: number;
  readonly #depthMs: number;

  constructor(
    limit: RateLimit,
    private readonly maxCallers = MAX_CALLERS,
  ) {
    this.#intervalMs = limit.perSecond === 0 ? 0 : 1000 / limit.perSecond;
    this.#depthMs = this.#intervalMs * limit.burst;
  }

  /**
   * Takes one token.
   * @param nowMs a clock that does not jump
   * @returns 0 if there was one, else how long until there is, in ms
   */
  take(caller: string, nowMs = performance.now()): number {
    if (this.#intervalMs === 0) return 0;
    const fullAt = Math.max(this.#fullAt.get(caller) ?? 0, nowMs) + this.#intervalMs;
    const waitMs = fullAt - nowMs - this.#depthMs;
    if (waitMs > ROUNDING_MS) return waitMs;
    // Deleted first, so that the map is in the order of the last call.
    this.#fullAt.delete(caller);
    this.#fullAt.set(caller, fullAt);
    if (this.#fullAt.size > this.maxCallers) this.#forget(nowMs);
    return 0;
  }

  #forget(nowMs: number): void {
    for (const [caller, fullAt] of this.#fullAt) if (fullAt <= nowMs) this.#fullAt.delete(caller);
    for (const caller of this.#fullAt.keys()) {
      // Down to nine tenths, so that the sweep is rare.
      if (this.#fullAt.size <= this.maxCallers * 0.9) return;
      this.#fullAt.delete(caller);
    }
  }
}
