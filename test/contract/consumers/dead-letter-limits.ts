import { retryStoreOptions, type DeadLetterLimits } from '../../../src/bus/retries/retry-store.options.js';

/** Limits that no test reaches by accident. */
export const manyDeadLetters: DeadLetterLimits = limitsOf(retryStoreOptions.parse({}));

function limitsOf({
  maxDeadLetters,
  maxDeadLetterBytes,
  deadLetterTtlMs,
}: DeadLetterLimits): DeadLetterLimits {
  return { maxDeadLetters, maxDeadLetterBytes, deadLetterTtlMs };
}
