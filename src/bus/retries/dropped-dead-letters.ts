import { Logger } from '@nestjs/common';
import { RepeatedWarning } from '../../limits/index.js';

/** Logs dead letters that a store has dropped because of its limits. */
export class DroppedDeadLetters {
  readonly #warning = new RepeatedWarning(new Logger('Consumers'));

  report(count: number): void {
    if (count === 0) return;
    this.#warning.warn(
      `dropped the ${count} oldest dead letter(s), because there were more than retries.maxDeadLetters or ` +
        'retries.maxDeadLetterBytes, or they were older than retries.deadLetterTtlMs: redrive or drop dead letters in time, ' +
        'or raise the limits',
    );
  }
}
