import { z } from 'zod';
import { redelivery } from '../../retries/redelivery.options.js';

/** The embedded bus: queues in the memory of this process. They are lost when it ends. */
export const memoryBusOptions = z
  .strictObject({
    partitions: z
      .int()
      .min(1)
      .default(16)
      .describe(
        'Number of partitions of a topic. It limits how many handlers of one group can run at a time.',
      ),
    maxPendingRecords: z
      .int()
      .min(1)
      .default(100_000)
      .describe(
        'Largest number of unacknowledged records of one group, in all its topics. Beyond it, a publish is refused as ' +
          '`broker_unavailable`.',
      ),
    retainedRecords: z
      .int()
      .min(0)
      .default(1_000)
      .describe(
        'Number of records per topic that are kept after every group has acknowledged them, for groups that start at `earliest`.',
      ),
    ...redelivery,
    drainTimeoutMs: z
      .int()
      .min(0)
      .default(5_000)
      .describe(
        'How long a shutdown waits for consumers to empty the queues and for handlers to finish, in ms.',
      ),
  })
  .prefault({});

export type MemoryBusOptions = z.infer<typeof memoryBusOptions>;
