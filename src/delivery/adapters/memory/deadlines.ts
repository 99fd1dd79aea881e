/** Deadlines within one of these are met together. */
const PERIOD_MS = 1_000;

/**
 * Keys that are to be looked at when a time has come, without a timer for each. A key may be noted more than once; whoever looks
 * at it decides from what it finds there.
 */
export class Deadlines {
  readonly #keysByPeriod = new Map<number, Set<string>>();
  #swept: number;
  readonly #timer: NodeJS.Timeout;

  /** `look` answers when the key is to be looked at again, by the clock of `now`, or `undefined`. */
  constructor(
    private readonly now: () => number,
    private readonly look: (key: string, nowMs: number) => number | undefined,
  ) {
    this.#swept = periodOf(now());
    this.#timer = setInterval(() => this.sweep(), PERIOD_MS).unref();
  }

  /** Keys that are noted, each as often as it is. */
  get size(): number {
    let size = 0;
    for (const keys of this.#keysByPeriod.values()) size += keys.size;
    return size;
  }

  note(key: string, at: number): void {
    // What is in the past already is seen to by the next sweep.
    const period = Math.max(periodOf(at), this.#swept) + 1;
    const keys = this.#keysByPeriod.get(period);
    if (keys === undefined) this.#keysByPeriod.set(period, new Set([key]));
    else keys.add(key);
  }

  /** Takes back what was noted for a time to come: it would stay until then. */
  drop(key: string, at: number): void {
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
        const next = this.look(key, now);
        if (next !== undefined) this.note(key, next);
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
