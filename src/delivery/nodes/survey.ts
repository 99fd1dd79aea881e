import { SurveyIncompleteError } from '../delivery.errors.js';

/** The number of subscribers of each channel. */
export type ChannelCounts = Readonly<Record<string, number>>;

/** Collects and adds up the replies of several nodes to one request. */
export class Survey {
  readonly #missing: Set<string>;
  readonly #totals = new Map<string, number>();
  readonly #complete = Promise.withResolvers<void>();

  constructor(nodes: readonly string[]) {
    this.#missing = new Set(nodes);
    if (nodes.length === 0) this.#complete.resolve();
  }

  add(uid: string, counts: ChannelCounts): void {
    if (!this.#missing.delete(uid)) return;
    for (const [channel, count] of Object.entries(counts)) {
      this.#totals.set(channel, (this.#totals.get(channel) ?? 0) + count);
    }
    if (this.#missing.size === 0) this.#complete.resolve();
  }

  /** Does not wait for a node any more, because it has shut down. */
  removeNode(uid: string): void {
    if (this.#missing.delete(uid) && this.#missing.size === 0) this.#complete.resolve();
  }

  /** @throws {SurveyIncompleteError} */
  async result(timeoutMs: number): Promise<Map<string, number>> {
    const timer = setTimeout(
      () => this.#complete.reject(new SurveyIncompleteError([...this.#missing])),
      timeoutMs,
    );
    try {
      await this.#complete.promise;
    } finally {
      clearTimeout(timer);
    }
    return this.#totals;
  }
}
