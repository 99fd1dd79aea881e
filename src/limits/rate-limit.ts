export interface Rate {
  /** 0: no limit. */
  readonly perSecond: number;
  /** Number of events that may occur at once after a pause. */
  readonly burst: number;
}

/** Tolerance for sums of fractional times. Without it, the last event of a burst would sometimes be refused. */
const ROUNDING_MS = 0.001;

/**
 * A rate limit whose state per subject is one number, which the caller keeps: the time at which the events so far
 * would have arrived at an even pace (the generic cell rate algorithm).
 */
export class RateLimit {
  readonly #intervalMs: number;
  readonly #depthMs: number;

  constructor({ perSecond, burst }: Rate) {
    this.#intervalMs = perSecond > 0 ? 1000 / perSecond : 0;
    this.#depthMs = this.#intervalMs * burst;
  }

  /**
   * Returns the state after one more event, or undefined if the event exceeds the limit. The state of a new subject
   * is 0.
   */
  next(state: number, nowMs: number): number | undefined {
    return this.waitMs(state, nowMs) > 0 ? undefined : this.charge(state, nowMs);
  }

  /** Returns the state after an event that happens whether or not it exceeds the limit. */
  charge(state: number, nowMs: number): number {
    return Math.max(state, nowMs) + this.#intervalMs;
  }

  /** Returns the time in ms until one more event is within the limit; 0 if it is now. */
  waitMs(state: number, nowMs: number): number {
    const excessMs = Math.max(state, nowMs) + this.#intervalMs - nowMs - this.#depthMs;
    return excessMs > ROUNDING_MS ? excessMs : 0;
  }
}
