import { z } from 'zod';
import { redelivery } from '../../retries/redelivery.options.js';

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
    ...redelivery,
    drainTimeoutMs: z
      .int()
      .min(0)
      .default(5_000)
      .describe('How long `close` lets consumers empty the queues and handlers finish, in ms.'),
  })
  .prefault({});

export type MemoryBusOptions = z.infer<typeof memoryBusOptions>;
