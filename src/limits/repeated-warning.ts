import type { Logger } from '@nestjs/common';

const INTERVAL_MS = 1_000;

/**
 * Logs a warning that may occur for every client or channel at once, for example while a store is unavailable. The
 * first warning is logged at once. Of the warnings within the next second or other interval, only the last one is logged, with their number.
 */
export class RepeatedWarning {
  #isQuiet = false;
  #suppressed = 0;
  #last = '';

  /** @param intervalMs how long further warnings are held back */
  constructor(
    private readonly logger: Pick<Logger, 'warn'>,
    private readonly intervalMs = INTERVAL_MS,
  ) {}

  warn(text: string): void {
    if (this.#isQuiet) {
      this.#suppressed++;
      this.#last = text;
      return;
    }
    this.logger.warn(text);
    this.#isQuiet = true;
    setTimeout(() => this.#logSuppressed(), this.intervalMs).unref();
  }

  #logSuppressed(): void {
    this.#isQuiet = false;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    if (suppressed > 0)
      this.warn(suppressed === 1 ? this.#last : `${this.#last} (and ${suppressed - 1} more like it)`);
  }
}
