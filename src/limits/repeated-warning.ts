import type { Logger } from '@nestjs/common';

const INTERVAL_MS = 1_000;

/**
 * A warning that may come for every client or channel at once, as while a store is away. The first is logged at once, of those that
 * follow within a second their number and the last.
 */
export class RepeatedWarning {
  #isQuiet = false;
  #unsaid = 0;
  #last = '';

  constructor(private readonly logger: Pick<Logger, 'warn'>) {}

  warn(text: string): void {
    if (this.#isQuiet) {
      this.#unsaid++;
      this.#last = text;
      return;
    }
    this.logger.warn(text);
    this.#isQuiet = true;
    setTimeout(() => this.#speakUp(), INTERVAL_MS).unref();
  }

  #speakUp(): void {
    this.#isQuiet = false;
    const unsaid = this.#unsaid;
    this.#unsaid = 0;
    if (unsaid > 0) this.warn(unsaid === 1 ? this.#last : `${this.#last} (and ${unsaid - 1} more like it)`);
  }
}
