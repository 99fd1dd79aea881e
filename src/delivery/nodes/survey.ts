import { SurveyIncompleteError } from '../delivery.errors.js';

/** The subscribers of each channel. */
export type ChannelCounts = Readonly<Record<string, number>>;

/** One question to several nodes: adds up what they answer. */
export class Survey {
  readonly #missing: Set<string>;
  readonly #totals = new Map<string, number>();
  readonly #answered = Promise.withResolvers<void>();

  constructor(asked: readonly string[]) {
    this.#missing = new Set(asked);
    if (asked.length === 0) this.#answered.resolve();
  }

  add(uid: string, counts: ChannelCounts): void {
    if (!this.#missing.delete(uid)) return;
    for (const [channel, count] of Object.entries(counts)) {
      this.#totals.set(channel, (this.#totals.get(channel) ?? 0) + count);
    }
    if (this.#missing.size === 0) this.#answered.resolve();
  }

  /** A node that has gone will not answer. */
  excuse(uid: string): void {
    if (this.#missing.delete(uid) && this.#missing.size === 0) this.#answered.resolve();
  }

  /** @throws {SurveyIncompleteError} */
  async result(timeoutMs: number): Promise<Map<string, number>> {
    const timer = setTimeout(
      () => this.#answered.reject(new SurveyIncompleteError([...this.#missing])),
      timeoutMs,
    );
    try {
      await this.#answered.promise;
    } finally {
      clearTimeout(timer);
    }
    return this.#totals;
  }
}
