import { sizeOf, type RedisPublication } from './redis-publication.js';

export interface SentPublication {
  readonly publication: RedisPublication;
  /** Its position in the history, `offset:epoch`. Empty without a history. */
  readonly position: string;
  /** When Redis accepted it, by `performance.now()`. */
  readonly acceptedAt: number;
}

export interface ResendBufferOptions {
  readonly windowMs: number;
  /** Above this the oldest publications are dropped. */
  readonly maxBytes: number;
}

/**
 * The publications of this process that Redis accepted during the last seconds. A Redis that crashes loses publications
 * that it has accepted, including some that it has not delivered yet. They can be sent again from here.
 */
export class ResendBuffer {
  /** A queue. Those before `#head` are dropped. */
  #entries: SentPublication[] = [];
  #head = 0;
  #bytes = 0;

  constructor(private readonly options: ResendBufferOptions) {}

  add(publication: RedisPublication, position: string): void {
    const acceptedAt = performance.now();
    this.#entries.push({ publication, position, acceptedAt });
    this.#bytes += sizeOf(publication);
    this.#dropBefore(acceptedAt - this.options.windowMs);
  }

  /** Returns the publications within the window, the oldest first. */
  recent(): readonly SentPublication[] {
    this.#dropBefore(performance.now() - this.options.windowMs);
    return this.#entries.slice(this.#head);
  }

  #dropBefore(moment: number): void {
    for (; this.#head < this.#entries.length; this.#head++) {
      const { acceptedAt, publication } = this.#entries[this.#head]!;
      if (acceptedAt >= moment && this.#bytes <= this.options.maxBytes) break;
      this.#bytes -= sizeOf(publication);
    }
    // Moving the rest costs what was added since the last move, so that an addition is cheap on average.
    if (this.#head > 1_000 && this.#head > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}
