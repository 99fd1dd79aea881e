import { z } from 'zod';

/** How a driver brings again what a handler rejected, the same for all that do it themselves. */
export const redelivery = {
  retryInitialDelayMs: z
    .int()
    .min(1)
    .default(200)
    .describe(
      'Pause before a rejected batch comes again the first time, in ms. It doubles with every rejection.',
    ),
  retryMaxDelayMs: z.int().min(1).default(30_000).describe('Longest such pause, in ms.'),
};

export const drainTimeoutMs = z
  .int()
  .min(0)
  .default(10_000)
  .describe('How long `close` waits for handlers at work, in ms. What they hold comes again elsewhere.');
