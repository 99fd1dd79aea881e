import { z } from 'zod';

/** Names become part of groups, topics and metrics. */
export const consumerName = z
  .string()
  .regex(/^[\w.]+(-[\w.]+)*$/, 'letters, digits, _ . and inner - only')
  .max(100);

const fields = {
  batchSize: z
    .int()
    .min(1)
    .describe('Records that are taken at once (`consume_num`). A handler of batches gets at most so many.'),
  takeEveryMs: z
    .int()
    .min(0)
    .describe(
      'Shortest time between two takings, in ms (`consumer_interval`). 0: whenever there is something.',
    ),
  concurrency: z
    .int()
    .min(1)
    .describe(
      'Handlers that run in parallel in one process (`nums`), each on a partition of its own. As many again may be at work on ' +
        'records that are tried again.',
    ),
  restartDelayMs: z
    .int()
    .min(1)
    .describe(
      'Pause before a consumer that could not start is started again, in ms. One that is cut off comes back by itself.',
    ),
  from: z
    .enum(['earliest', 'latest'])
    .describe(
      'Where a group begins that was never seen before: with what the topic still holds, or with what comes.',
    ),
  handlerTimeoutMs: z
    .int()
    .min(1)
    .describe(
      'After how long, in ms, a handler counts as failed. Its signal is aborted, a late result ignored.',
    ),
  ordering: z
    .enum(['none', 'key'])
    .describe(
      '`key`: what follows a failed record and has its key waits until that was handled or given up. `none`: it goes on.',
    ),
  maxAttempts: z
    .int()
    .min(1)
    .describe('How often a record is tried, the first time included, before it is a dead letter.'),
  retryInitialMs: z
    .int()
    .min(1)
    .describe('Pause before the second try, in ms. It doubles with every further one.'),
  retryMaxMs: z.int().min(1).describe('Longest such pause, in ms.'),
  retryJitter: z
    .number()
    .min(0)
    .max(1)
    .describe(
      'Part of each pause that is left to chance, so that what failed together does not come together.',
    ),
  maxWaiting: z
    .int()
    .min(1)
    .describe(
      'Records of a group that may wait for another try, those behind them included. At the bound the partitions of further ' +
        'failures stand still until there is room.',
    ),
  deadLetterTopic: z
    .boolean()
    .describe(
      'Whether each dead letter is copied to the topic TOPIC.MODULE-CONSUMER.dlq for other programs.',
    ),
};

export const consumerSettings = z.strictObject(fields);
export type ConsumerSettings = z.output<typeof consumerSettings>;

/** What applies to a consumer of which nothing else is said. */
export const consumerDefaults = z
  .strictObject({
    batchSize: fields.batchSize.default(50),
    takeEveryMs: fields.takeEveryMs.default(0),
    concurrency: fields.concurrency.default(1),
    restartDelayMs: fields.restartDelayMs.default(5_000),
    from: fields.from.default('earliest'),
    handlerTimeoutMs: fields.handlerTimeoutMs.default(30_000),
    ordering: fields.ordering.default('none'),
    maxAttempts: fields.maxAttempts.default(5),
    retryInitialMs: fields.retryInitialMs.default(1_000),
    retryMaxMs: fields.retryMaxMs.default(60_000),
    retryJitter: fields.retryJitter.default(0.25),
    maxWaiting: fields.maxWaiting.default(10_000),
    deadLetterTopic: fields.deadLetterTopic.default(true),
  })
  .prefault({});
