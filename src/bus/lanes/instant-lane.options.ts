import { z } from 'zod';
import { foreignRecordRule } from '../../message/index.js';

/** The instant lane, with any driver. `bus.options.ts` adds the driver. */
export const instantLaneOptions = z.strictObject({
  topic: z.string().min(1).default('carillon.instant').describe('Topic of the lane.'),
  group: z
    .string()
    .min(1)
    .default('carillon')
    .describe(
      'Consumer group. Replicas with the same group share the messages: one of them delivers each message.',
    ),
  startFrom: z
    .enum(['earliest', 'latest'])
    .default('earliest')
    .describe(
      'Where a new group starts. With `latest`, messages that were accepted before the first consumer joined are lost. Use it ' +
        'if the topic already holds records of other programs that must not be delivered.',
    ),
  batchSize: z
    .int()
    .min(1)
    .default(500)
    .describe(
      'Largest number of messages that are handled and acknowledged together. After a failure all of them are repeated.',
    ),
  concurrency: z
    .int()
    .min(1)
    .default(4)
    .describe('How many batches one process handles at the same time, each from its own partition.'),
  foreignRecords: foreignRecordRule
    .optional()
    .describe(
      'Where the channel of a record without Carillon headers comes from. Without this rule such a record is skipped.',
    ),
});

export type InstantLaneOptions = z.infer<typeof instantLaneOptions>;
