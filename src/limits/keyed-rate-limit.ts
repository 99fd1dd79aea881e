import { RateLimit, type Rate } from './rate-limit.js';

/** The most keys that are kept. Beyond it, keys without recent events are removed, then the oldest ones. */
const MAX_KEYS = 100_000;

/**
 * A rate limit per key, for subjects that have no object of their own, such as addresses. A key without recent events
 * needs no memory.
 */
export class KeyedRateLimit {
  readonly #limit: RateLimit | undefined;
  readonly #states = new Map<string, number>();

  /** @param rate a `perSecond` of 0 means no limit */
  constructor(
    rate: Rate,
    private readonly maxKeys = MAX_KEYS,
  ) {
    if (rate.perSecond > 0) this.#limit = new RateLimit(rate);
  }

  /**
   * Counts one event.
   * @param nowMs a clock that does not jump
   * @returns 0 if it is within the rate, otherwise the time in ms until an event is
   */
  take(key: string, nowMs = performance.now()): number {
    if (this.#limit === undefined) return 0;
    const state = this.#states.get(key) ?? 0;
    const waitMs = this.#limit.waitMs(state, nowMs);
    if (waitMs === 0) this.#keep(key, this.#limit.charge(state, nowMs), nowMs);
    return waitMs;
  }

  /** Returns the time in ms until one more event is within the limit; 0 if it is now. Counts nothing. */
  waitMs(key: string, nowMs: number): number {
    return this.#limit?.waitMs(this.#states.get(key) ?? 0, nowMs) ?? 0;
  }

  /** Counts an event that happens whether or not it exceeds the limit, for example after a wait. */
  charge(key: string, nowMs: number): void {
    if (this.#limit === undefined) return;
    this.#keep(key, this.#limit.charge(this.#states.get(key) ?? 0, nowMs), nowMs);
  }

  #keep(key: string, state: number, nowMs: number): void {
    // Deleted first, so that the map is ordered by the last event.
    this.#states.delete(key);
    this.#states.set(key, state);
    if (this.#states.size > this.maxKeys) this.#forget(nowMs);
  }

  #forget(nowMs: number): void {
    for (const [key, state] of this.#states) if (state <= nowMs) this.#states.delete(key);
    for (const key of this.#states.keys()) {
      // Removes down to nine tenths, so that the sweep is rare.
      if (this.#states.size <= this.maxKeys * 0.9) return;
      this.#states.delete(key);
    }
  }
}
