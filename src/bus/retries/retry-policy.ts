import { backoffMs, jittered } from '../../async/index.js';
import type { RetryOutcome } from './retry-store.port.js';
import type { ConsumerSettings } from '../consumers/consumer.options.js';
import { failureOf, isFinal } from './failure.js';

export type RetrySettings = Pick<
  ConsumerSettings,
  'maxAttempts' | 'retryInitialMs' | 'retryMaxMs' | 'retryJitter'
>;

/** Decides when a failed record is retried, and when it is given up. */
export class RetryPolicy {
  constructor(
    private readonly settings: RetrySettings,
    private readonly random: () => number = Math.random,
  ) {}

  /**
   * Returns the outcome of a failed attempt.
   *
   * @param attempts the number of failed attempts before this one
   */
  outcomeOf(error: unknown, attempts: number, now: number): Extract<RetryOutcome, { kind: 'retry' }> {
    const failed = attempts + 1;
    const givenUp = failed >= this.settings.maxAttempts || isFinal(error);
    return {
      kind: 'retry',
      dueAt: givenUp ? now : now + this.#pauseMs(failed),
      attempts: failed,
      failure: failureOf(error),
      failedAt: now,
      givenUp,
    };
  }

  #pauseMs(failed: number): number {
    const { retryInitialMs, retryMaxMs, retryJitter } = this.settings;
    const pauseMs = backoffMs(failed, retryInitialMs, retryMaxMs);
    return Math.round(jittered(pauseMs, retryJitter, this.random));
  }
}
