import type { StreamPosition } from '../../publications/publication.js';

interface Result {
  /** Absent if the publication is not in a history. */
  readonly position: StreamPosition | undefined;
  /** By the clock of the caller, in ms. */
  readonly expiresAt: number;
}

/** The results of publications by their keys. Each expires after its time, or earlier if there are too many. */
export class IdempotencyCache {
  /** In the order of arrival, which is the order of expiry if all have the same lifetime. */
  readonly #byKey = new Map<string, Result>();

  constructor(private readonly maxEntries: number) {}

  get size(): number {
    return this.#byKey.size;
  }

  find(key: string, now: number): Result | undefined {
    const result = this.#byKey.get(key);
    return result !== undefined && result.expiresAt > now ? result : undefined;
  }

  add(key: string, position: StreamPosition | undefined, expiresAt: number): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, { position, expiresAt });
    if (this.#byKey.size > this.maxEntries) this.#dropOldest();
  }

  /** Removes expired entries from the front. An entry behind one that lives longer is removed together with it. */
  sweep(now: number): void {
    for (const [key, { expiresAt }] of this.#byKey) {
      if (expiresAt > now) break;
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
