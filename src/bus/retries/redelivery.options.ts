import { z } from 'zod';

/** Settings of the drivers that redeliver rejected batches themselves. */
export const redelivery = {
  retryInitialDelayMs: z
    .int()
    .min(1)
    .default(200)
    .describe('Pause before a rejected batch is delivered again, in ms. It doubles with every rejection.'),
  retryMaxDelayMs: z
    .int()
    .min(1)
    .default(30_000)
    .describe('Longest pause before a rejected batch is delivered again, in ms.'),
};

export const drainTimeoutMs = z
  .int()
  .min(0)
  .default(10_000)
  .describe(
    'How long a shutdown waits for running handlers, in ms. After it, another process gets their records.',
  );
