import { z } from 'zod';

/** The delayed lane, with any driver. */
export const delayedLaneOptions = z.strictObject({
  driver: z
    .enum(['memory', 'sqlite', 'redis', 'pulsar'])
    .default('sqlite')
    .describe(
      'Where messages are stored until they are due: `sqlite` is a local file, `memory` loses them when the process ends, and ' +
        'replicas share `redis` and `pulsar`.',
    ),
  maxPendingMessages: z
    .int()
    .min(1)
    .default(1_000_000)
    .describe(
      'Largest number of messages that wait in the lane. Beyond it, a message is refused as `schedule_full`, so that disk and ' +
        'memory are bounded.',
    ),
  maxPendingBytes: z
    .int()
    .min(1)
    .default(1024 ** 3)
    .describe(
      'Largest size of the messages that wait in the lane, in bytes. Beyond it, a message is refused as `schedule_full`.',
    ),
  anonymous: z
    .strictObject({
      maxSharePercent: z
        .int()
        .min(0)
        .max(100)
        .default(50)
        .describe(
          'How much of the lane (messages and bytes) callers without an API key may fill together, in percent. The rest is ' +
            'reserved for callers with a key.',
        ),
      maxMessagesPerAddress: z
        .int()
        .min(0)
        .default(10_000)
        .describe(
          'Largest number of waiting messages of one address (of IPv6, one /64 network) without an API key. Beyond it, a message ' +
            'is refused as `schedule_quota_exceeded`.',
        ),
      maxBytesPerAddress: z
        .int()
        .min(0)
        .default(16 * 1024 ** 2)
        .describe(
          'Largest size of the waiting messages of one address (of IPv6, one /64 network) without an API key, in bytes.',
        ),
    })
    .prefault({})
    .describe('What callers without an API key may leave in the lane.'),
  concurrency: z
    .int()
    .min(1)
    .default(64)
    .describe('How many due messages one process delivers at the same time.'),
  leaseMs: z
    .int()
    .min(100)
    .default(5_000)
    .describe(
      'How long a due message stays reserved for a process that has died, in ms. Then another process delivers it. A process ' +
        'extends its leases three times within this time. If its event loop is blocked for longer, another process delivers ' +
        'the message as well. Redis and Pulsar only.',
    ),
  pollIntervalMs: z
    .int()
    .min(10)
    .default(200)
    .describe(
      'How often a process checks for due messages of other processes, in ms. It is the longest delay of such a message. A ' +
        'process delivers its own messages exactly when they are due. Redis only.',
    ),
  rememberMs: z
    .int()
    .min(1_000)
    .default(5 * 60_000)
    .describe(
      'How long the id of a delivered or cancelled message is remembered, in ms. Adding the same id again within this time has ' +
        'no effect.',
    ),
  retryInitialMs: z
    .int()
    .min(1)
    .default(500)
    .describe('Pause before a failed delivery is retried, in ms. It doubles with every failure.'),
  retryMaxMs: z
    .int()
    .min(1)
    .default(60_000)
    .describe('Longest pause before a failed delivery is retried, in ms.'),
  closeTimeoutMs: z
    .int()
    .min(0)
    .default(10_000)
    .describe(
      'How long a shutdown waits for deliveries in progress, in ms. Unfinished ones are delivered again.',
    ),
});

export type DelayedLaneOptions = z.infer<typeof delayedLaneOptions>;

/** How much may wait in the lane. */
export type ScheduleLimits = Pick<DelayedLaneOptions, 'maxPendingMessages' | 'maxPendingBytes' | 'anonymous'>;
