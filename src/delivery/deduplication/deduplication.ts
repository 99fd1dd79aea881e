import { FingerprintSet } from './fingerprint-set.js';
import { Fingerprint } from './fingerprint.js';

/** Number of parts that the window is divided into: an id is remembered for the window and at most one part longer. */
const PARTS = 4;

export interface DeduplicationOptions {
  /** How long an id is remembered at least, in ms. */
  readonly windowMs: number;
  /** Most ids remembered at once. Beyond it the oldest part of the window is forgotten early. */
  readonly maxEntries: number;
  /** Any clock in ms that does not jump, as that of `performance.now()`: one that is set forward would forget all ids. */
  readonly now?: () => number;
  /** Told when the bound made the window shorter than asked: by how much it covers now, in ms. */
  readonly onShortened?: (coveredMs: number) => void;
}

/** The pairs of an id and a channel that arrived within one part of the window. */
interface Generation {
  readonly startedAt: number;
  readonly seen: FingerprintSet;
}

/**
 * Remembers which message ids were seen on which channel inside a window. Ids are kept in generations that are
 * dropped whole, so that there is no timer and no sweep.
 */
export class Deduplication {
  readonly #partMs: number;
  readonly #maxPerGeneration: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  readonly #onShortened: (coveredMs: number) => void;
  readonly #fingerprint = new Fingerprint();
  /** Newest first; never empty. */
  #generations: [Generation, ...Generation[]];

  constructor(options: DeduplicationOptions) {
    this.#windowMs = options.windowMs;
    this.#partMs = Math.ceil(options.windowMs / PARTS);
    this.#maxPerGeneration = Math.max(1, Math.floor(options.maxEntries / (PARTS + 1)));
    this.#now = options.now ?? (() => performance.now());
    this.#onShortened = options.onShortened ?? (() => {});
    this.#generations = [newGeneration(this.#now())];
  }

  /** Pairs of an id and a channel that are remembered at present. */
  get size(): number {
    return this.#generations.reduce((sum, generation) => sum + generation.seen.size, 0);
  }

  /** Answers whether the pair is seen for the first time inside the window, and remembers it. */
  firstSight(id: string, channel: string): boolean {
    const now = this.#now();
    if (now - this.#generations[0].startedAt >= this.#partMs) this.#rotate(now);
    const pair = this.#fingerprint.of(id, channel);
    for (const generation of this.#generations) {
      if (this.#isForgotten(generation, now)) break;
      if (generation.seen.has(pair)) return false;
    }
    if (this.#generations[0].seen.size >= this.#maxPerGeneration) this.#rotate(now);
    this.#generations[0].seen.add(pair);
    return true;
  }

  /** Begins a generation, and drops those that are past the window or past the bound. */
  #rotate(now: number): void {
    const kept = this.#generations.filter((generation) => !this.#isForgotten(generation, now));
    const dropped = kept.splice(PARTS);
    if (dropped.length > 0) this.#onShortened(now - (kept.at(-1)?.startedAt ?? now));
    this.#generations = [newGeneration(now, kept[0]), ...kept];
  }

  /** The youngest id of a generation came at the end of its part at the latest. */
  #isForgotten({ startedAt }: Generation, now: number): boolean {
    return now - startedAt >= this.#windowMs + this.#partMs;
  }
}

function newGeneration(startedAt: number, before?: Generation): Generation {
  return { startedAt, seen: new FingerprintSet(before?.seen) };
}
