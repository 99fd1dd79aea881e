import { FingerprintSet } from './fingerprint-set.js';
import { Fingerprint } from './fingerprint.js';

/** Number of parts of the window. An id is remembered for the window and at most one part longer. */
const PARTS = 4;

export interface DeduplicationOptions {
  /** Minimum time for which an id is remembered, in ms. */
  readonly windowMs: number;
  /** Maximum number of ids. Above it the oldest part of the window is dropped early. */
  readonly maxEntries: number;
  /** A monotonic clock in ms. Default: `performance.now()`. Setting the time of the machine must not drop all ids. */
  readonly now?: () => number;
  /** Called when the maximum has shortened the window, with the time that it covers now, in ms. */
  readonly onShortened?: (coveredMs: number) => void;
}

/** The pairs of an id and a channel from one part of the window. */
interface Generation {
  readonly startedAt: number;
  readonly seen: FingerprintSet;
}

/**
 * Remembers the message ids of each channel within a window. Ids are grouped in generations, which are dropped as a
 * whole, so that no timer and no sweep is necessary.
 */
export class Deduplication {
  readonly #partMs: number;
  readonly #maxPerGeneration: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  readonly #onShortened: (coveredMs: number) => void;
  readonly #fingerprint = new Fingerprint();
  /** Newest first. Never empty. */
  #generations: [Generation, ...Generation[]];

  constructor(options: DeduplicationOptions) {
    this.#windowMs = options.windowMs;
    this.#partMs = Math.ceil(options.windowMs / PARTS);
    this.#maxPerGeneration = Math.max(1, Math.floor(options.maxEntries / (PARTS + 1)));
    this.#now = options.now ?? (() => performance.now());
    this.#onShortened = options.onShortened ?? (() => {});
    this.#generations = [newGeneration(this.#now())];
  }

  /** Number of pairs of an id and a channel. */
  get size(): number {
    return this.#generations.reduce((sum, generation) => sum + generation.seen.size, 0);
  }

  /** Returns whether the pair is seen for the first time within the window, and remembers it. */
  firstSight(id: string, channel: string): boolean {
    const now = this.#now();
    if (now - this.#generations[0].startedAt >= this.#partMs) this.#rotate(now);
    const pair = this.#fingerprint.of(id, channel);
    for (const generation of this.#generations) {
      if (this.#isExpired(generation, now)) break;
      if (generation.seen.has(pair)) return false;
    }
    if (this.#generations[0].seen.size >= this.#maxPerGeneration) this.#rotate(now);
    this.#generations[0].seen.add(pair);
    return true;
  }

  /** Starts a generation, and drops those outside of the window or above the maximum. */
  #rotate(now: number): void {
    const kept = this.#generations.filter((generation) => !this.#isExpired(generation, now));
    const dropped = kept.splice(PARTS);
    if (dropped.length > 0) this.#onShortened(now - (kept.at(-1)?.startedAt ?? now));
    this.#generations = [newGeneration(now, kept[0]), ...kept];
  }

  /** The newest id of a generation arrived at the end of its part at the latest. */
  #isExpired({ startedAt }: Generation, now: number): boolean {
    return now - startedAt >= this.#windowMs + this.#partMs;
  }
}

function newGeneration(startedAt: number, before?: Generation): Generation {
  return { startedAt, seen: new FingerprintSet(before?.seen) };
}
