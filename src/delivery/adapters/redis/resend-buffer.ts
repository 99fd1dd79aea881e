import { sizeOf, type RedisPublication } from './redis-publication.js';

export interface SentPublication {
  readonly submission: RedisPublication;
  /** Where it was placed, `offset:epoch`; empty without a history. */
  readonly place: string;
  /** When Redis took it, on the clock of `performance.now()`. */
  readonly acceptedAt: number;
}

export interface ResendBufferOptions {
  readonly windowMs: number;
  /** Beyond it the oldest are forgotten. */
  readonly maxBytes: number;
}

/**
 * What this process published with success during the last seconds. A Redis that crashed forgets what it had taken, also
 * what it had not passed on yet; from here it can be published again.
 */
export class ResendBuffer {
  /** A queue: those before `#head` are forgotten. */
  #entries: SentPublication[] = [];
  #head = 0;
  #bytes = 0;

  constructor(private readonly options: ResendBufferOptions) {}

  add(submission: RedisPublication, place: string): void {
    const acceptedAt = performance.now();
    this.#entries.push({ submission, place, acceptedAt });
    this.#bytes += sizeOf(submission);
    this.#forgetBefore(acceptedAt - this.options.windowMs);
  }

  /** Those inside the window, oldest first. */
  recent(): readonly SentPublication[] {
    this.#forgetBefore(performance.now() - this.options.windowMs);
    return this.#entries.slice(this.#head);
  }

  #forgetBefore(moment: number): void {
    for (; this.#head < this.#entries.length; this.#head++) {
      const { acceptedAt, submission } = this.#entries[this.#head]!;
      if (acceptedAt >= moment && this.#bytes <= this.options.maxBytes) break;
      this.#bytes -= sizeOf(submission);
    }
    // Moving the rest costs what was added since the last time, so that an addition stays cheap on average.
    if (this.#head > 1_000 && this.#head > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}
