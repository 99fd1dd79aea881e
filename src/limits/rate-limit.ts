export interface Rate {
  readonly perSecond: number;
  /** How many may come at once after a pause. */
  readonly burst: number;
}

/** By which sums of fractional times may be off. Without it the last event of a burst is refused now and then. */
const ROUNDING_MS = 0.001;

/**
 * A rate limit whose whole state per subject is one number, kept by the caller: the time at which the events so far
 * would have arrived at an even pace (the generic cell rate algorithm).
 */
export class RateLimit {
  readonly #intervalMs: number;
  readonly #depthMs: number;

  constructor({ perSecond, burst }: Rate) {
    this.#intervalMs = 1000 / perSecond;
    this.#depthMs = this.#intervalMs * burst;
  }

  /** The state after one more event, or undefined when it is one too many. A new subject's state is 0. */
  next(state: number, nowMs: number): number | undefined {
    return this.waitMs(state, nowMs) > 0 ? undefined : Math.max(state, nowMs) + this.#intervalMs;
  }

  /** How long until one more event is let through, in ms; 0 where it is now. */
  waitMs(state: number, nowMs: number): number {
    const excessMs = Math.max(state, nowMs) + this.#intervalMs - nowMs - this.#depthMs;
    return excessMs > ROUNDING_MS ? excessMs : 0;
  }
}
