import { z } from 'zod';
import { foreignRecordRule } from '../../message/index.js';

/** The instant lane, whatever carries it. The module adds which driver that is. */
export const instantLaneOptions = z.strictObject({
  topic: z
    .string()
    .min(1)
    .default('carillon.instant')
    .describe('Topic that the lane publishes to and consumes.'),
  group: z
    .string()
    .min(1)
    .default('carillon')
    .describe(
      'Consumer group. Replicas with the same group share the messages: each is handled by one of them.',
    ),
  startFrom: z
    .enum(['earliest', 'latest'])
    .default('earliest')
    .describe(
      'Where a group begins that was never seen before. With `latest`, what was accepted before the first consumer ' +
        'joined is lost; set it where the topic already holds records of other programs that nobody should receive.',
    ),
  batchSize: z
    .int()
    .min(1)
    .default(500)
    .describe(
      'Largest number of messages that are handled and acknowledged together. A failure repeats all of them.',
    ),
  concurrency: z
    .int()
    .min(1)
    .default(4)
    .describe('Number of batches, each from a partition of its own, that one process handles at a time.'),
  foreignRecords: foreignRecordRule
    .optional()
    .describe(
      'Where the channel of a record without Carillon headers comes from. Without a rule such a record is refused.',
    ),
});

export type InstantLaneOptions = z.infer<typeof instantLaneOptions>;
