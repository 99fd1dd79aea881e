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

export type RetryStoreOptions = z.output<typeof retryStoreOptions>;
