/** Runs work one at a time for each key, in the order of the calls. Work of different keys runs at the same time. */
export class KeyedQueue {
  /** The end of each key's queue. Never rejects. */
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `work` when the earlier work of this key has settled. Resolves or rejects as `work` does. */
  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const result = (this.#tails.get(key) ?? Promise.resolve()).then(work);
    const tail = result.then(ignore, ignore);
    this.#tails.set(key, tail);
    try {
      return await result;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }

  /** Resolves when the work that was passed so far has settled. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }
}

function ignore(): void {}
