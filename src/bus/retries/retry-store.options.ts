import { z } from 'zod';

/** Where records are kept that a consumer could not handle: retries and dead letters. */
export const retryStoreOptions = z
  .strictObject({
    store: z
      .enum(['sqlite', 'redis'])
      .default('sqlite')
      .describe(
        'What keeps records that wait for a retry, and dead letters. `sqlite` is a file beside the process, which nobody else ' +
          'sees. Replicas need `redis`.',
      ),
    pollIntervalMs: z
      .int()
      .min(10)
      .default(1_000)
      .describe(
        'How often a process looks for records that another one put aside, in ms. Its own it tries exactly when they are due. ' +
          'Redis only.',
      ),
    closeTimeoutMs: z
      .int()
      .min(0)
      .default(10_000)
      .describe(
        'How long a shutdown waits for records that are being tried again, in ms. The rest comes again.',
      ),
  })
  .prefault({});

export type RetryStoreOptions = z.output<typeof retryStoreOptions>;
