import { every, reportFailure } from '../../../async/index.js';
/** Deadlines within the same period are handled together. */
const PERIOD_MS = 1_000;

/**
 * Calls back for keys when their deadlines have passed, without a timer for each. A key may have several deadlines, so
 * the callback has to check what it finds.
 */
export class Deadlines {
  readonly #keysByPeriod = new Map<number, Set<string>>();
  #swept: number;
  readonly #timer: NodeJS.Timeout;

  /** `onDeadline` returns the next deadline of the key, by the clock of `now`, or undefined. */
  constructor(
    private readonly now: () => number,
    private readonly onDeadline: (key: string, nowMs: number) => number | undefined,
  ) {
    this.#swept = periodOf(now());
    this.#timer = every('removal of expired entries', PERIOD_MS, () => this.sweep()).unref();
  }

  /** The number of pending deadlines. */
  get size(): number {
    let size = 0;
    for (const keys of this.#keysByPeriod.values()) size += keys.size;
    return size;
  }

  add(key: string, at: number): void {
    // The next sweep handles a deadline in the past.
    const period = Math.max(periodOf(at), this.#swept) + 1;
    const keys = this.#keysByPeriod.get(period);
    if (keys === undefined) this.#keysByPeriod.set(period, new Set([key]));
    else keys.add(key);
  }

  /** Removes a deadline, which would otherwise take memory until it passes. */
  delete(key: string, at: number): void {
    const period = periodOf(at) + 1;
    const keys = this.#keysByPeriod.get(period);
    if (keys?.delete(key) && keys.size === 0) this.#keysByPeriod.delete(period);
  }

  sweep(): void {
    const now = this.now();
    for (const until = periodOf(now); this.#swept < until;) {
      const keys = this.#keysByPeriod.get(++this.#swept);
      if (keys === undefined) continue;
      this.#keysByPeriod.delete(this.#swept);
      for (const key of keys) {
        try {
          const next = this.onDeadline(key, now);
          if (next !== undefined) this.add(key, next);
        } catch (error) {
          reportFailure('removal of an expired entry', error);
        }
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#keysByPeriod.clear();
  }
}

function periodOf(time: number): number {
  return Math.floor(time / PERIOD_MS);
}
