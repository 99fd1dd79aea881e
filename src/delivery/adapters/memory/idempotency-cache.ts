import type { StreamPosition } from '../../publications/publication.js';

interface Answer {
  /** Absent where the publication has no place in a history. */
  readonly position: StreamPosition | undefined;
  /** By the clock that the callers go by, in ms. */
  readonly until: number;
}

/** What was answered to publications with a key, for as long as each is to be remembered, within a bound. */
export class IdempotencyCache {
  /** In the order of arrival, which is that of expiry wherever callers use one duration. */
  readonly #byKey = new Map<string, Answer>();

  constructor(private readonly maxEntries: number) {}

  get size(): number {
    return this.#byKey.size;
  }

  find(key: string, now: number): Answer | undefined {
    const answer = this.#byKey.get(key);
    return answer !== undefined && answer.until > now ? answer : undefined;
  }

  add(key: string, position: StreamPosition | undefined, until: number): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, { position, until });
    if (this.#byKey.size > this.maxEntries) this.#dropOldest();
  }

  /** Forgets from the front what has run out; an entry behind one that lasts longer goes with that one. */
  sweep(now: number): void {
    for (const [key, { until }] of this.#byKey) {
      if (until > now) break;
      this.#byKey.delete(key);
    }
  }

  #dropOldest(): void {
    for (const key of this.#byKey.keys()) {
      this.#byKey.delete(key);
      break;
    }
  }
}
