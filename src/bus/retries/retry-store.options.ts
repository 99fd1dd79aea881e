import { z } from 'zod';

/** The store of retries and dead letters. */
export const retryStoreOptions = z
  .strictObject({
    store: z
      .enum(['sqlite', 'redis'])
      .default('sqlite')
      .describe(
        'Where retries and dead letters are stored. `sqlite` is a local file that only this process uses. Replicas need ' +
          '`redis`.',
      ),
    maxDeadLetters: z
      .int()
      .min(1)
      .default(100_000)
      .describe(
        'Largest number of dead letters. Beyond it, the oldest ones are dropped, counted and logged. Processes that share a store ' +
          'need the same limits.',
      ),
    maxDeadLetterBytes: z
      .int()
      .min(1)
      .default(256 * 1024 ** 2)
      .describe('Largest size of all dead letters, in bytes. Beyond it, the oldest ones are dropped.'),
    deadLetterTtlMs: z
      .int()
      .min(1_000)
      .default(30 * 24 * 60 * 60_000)
      .describe('How long a dead letter is kept, in ms. Older ones are dropped.'),
    pollIntervalMs: z
      .int()
      .min(10)
      .default(1_000)
      .describe(
        'How often a process checks for due records of other processes, in ms. It retries its own records exactly when they ' +
          'are due. Redis only.',
      ),
    closeTimeoutMs: z
      .int()
      .min(0)
      .default(10_000)
      .describe(
        'How long a shutdown waits for retries in progress, in ms. Unfinished ones are retried again.',
      ),
  })
  .prefault({});

/** How many dead letters a store keeps. */
export type DeadLetterLimits = Pick<
  RetryStoreOptions,
  'maxDeadLetters' | 'maxDeadLetterBytes' | 'deadLetterTtlMs'
>;

export type RetryStoreOptions = z.output<typeof retryStoreOptions>;
