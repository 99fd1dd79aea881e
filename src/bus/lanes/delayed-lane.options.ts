import { z } from 'zod';

/** The delayed lane, whatever holds it. */
export const delayedLaneOptions = z.strictObject({
  driver: z
    .enum(['memory', 'sqlite', 'redis', 'pulsar'])
    .default('sqlite')
    .describe(
      'What holds messages until they are due: `sqlite` is a file beside the process, `memory` forgets at its end, ' +
        '`redis` and `pulsar` are shared by replicas.',
    ),
  maxPendingMessages: z
    .int()
    .min(1)
    .default(1_000_000)
    .describe(
      'Messages that may wait at a time. Beyond it a further one is refused as `schedule_full`, because the disk has an end, ' +
        'and so has memory. `sqlite` and `memory` only.',
    ),
  concurrency: z.int().min(1).default(64).describe('How many due messages one process hands over at a time.'),
  leaseMs: z
    .int()
    .min(100)
    .default(30_000)
    .describe(
      'How long a due message stays with a process that is not heard of any more, in ms; then another takes it. ' +
        'It is extended while the message is being handed over. Redis and Pulsar only.',
    ),
  pollIntervalMs: z
    .int()
    .min(10)
    .default(200)
    .describe(
      'How often a process looks for messages that another one scheduled, in ms: the most that such a message may be ' +
        'late for it. Its own it takes exactly when they are due. Redis only.',
    ),
  rememberMs: z
    .int()
    .min(1_000)
    .default(5 * 60_000)
    .describe(
      'How long the id of a message that was handed over or cancelled is known, in ms: adding it again within that time ' +
        'changes nothing.',
    ),
  retryInitialMs: z
    .int()
    .min(1)
    .default(500)
    .describe(
      'Pause before a message that could not be handed over is tried again, in ms. It doubles each time.',
    ),
  retryMaxMs: z.int().min(1).default(60_000).describe('Longest such pause, in ms.'),
  closeTimeoutMs: z
    .int()
    .min(0)
    .default(10_000)
    .describe(
      'How long a shutdown waits for messages that are being handed over, in ms. The rest comes again.',
    ),
});

export type DelayedLaneOptions = z.infer<typeof delayedLaneOptions>;
