import { z } from 'zod';

/** The embedded bus: queues inside this process, lost with it. */
export const memoryBusOptions = z
  .strictObject({
    partitions: z
      .int()
      .min(1)
      .default(16)
      .describe('Partitions of a topic: the most handlers that one group can have at work on it.'),
    maxPendingRecords: z
      .int()
      .min(1)
      .default(100_000)
      .describe(
        'Records that may wait for one group, in all its topics. Beyond it a publish is refused as ' +
          '`broker_unavailable`, because memory has an end.',
      ),
    retainedRecords: z
      .int()
      .min(0)
      .default(1_000)
      .describe(
        'Records per topic that are kept after every group took them, for groups that start at `earliest`.',
      ),
    retryInitialDelayMs: z
      .int()
      .min(1)
      .default(100)
      .describe(
        'Pause before a rejected batch comes again the first time, in ms. It doubles with every rejection.',
      ),
    retryMaxDelayMs: z.int().min(1).default(30_000).describe('Longest such pause, in ms.'),
    drainTimeoutMs: z
      .int()
      .min(0)
      .default(5_000)
      .describe('How long `close` lets consumers empty the queues and handlers finish, in ms.'),
  })
  .prefault({});

export type MemoryBusOptions = z.infer<typeof memoryBusOptions>;
