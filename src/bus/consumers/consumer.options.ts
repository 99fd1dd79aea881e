import { z } from 'zod';

/** Names of modules and consumers become part of groups, topics and metrics. */
export const consumerName = z
  .string()
  .regex(/^[\w.]+(-[\w.]+)*$/, 'use letters, digits, underscores and dots, with single hyphens between them')
  .max(100);

const settings = {
  batchSize: z
    .int()
    .min(1)
    .describe(
      'Largest number of records in a batch (`consume_num`). A handler of batches gets at most this many.',
    ),
  takeEveryMs: z
    .int()
    .min(0)
    .describe('Shortest time between two batches, in ms (`consumer_interval`). 0: no limit.'),
  concurrency: z
    .int()
    .min(1)
    .describe(
      'How many handlers run at the same time in one process (`nums`), each on its own partition. The same number of handlers ' +
        'may run for retries.',
    ),
  restartDelayMs: z
    .int()
    .min(1)
    .describe(
      'Pause before a consumer is started again that could not start, lost its membership in the group, or whose code failed ' +
        'outside a call of its handler, in ms.',
    ),
  from: z
    .enum(['earliest', 'latest'])
    .describe(
      'Where a new consumer group starts: at the oldest record of the topic, or at new records only.',
    ),
  handlerTimeoutMs: z
    .int()
    .min(1)
    .describe(
      'Time-out of a handler, in ms. After it, the call has failed, its signal is aborted, and a late result is ignored.',
    ),
  ordering: z
    .enum(['none', 'key'])
    .describe(
      '`key`: records with the same key wait until a failed record is handled or given up. `none`: they do not wait.',
    ),
  maxAttempts: z
    .int()
    .min(1)
    .describe('Number of attempts, including the first one, before a record becomes a dead letter.'),
  retryInitialMs: z
    .int()
    .min(1)
    .describe('Pause before the second attempt, in ms. It doubles with every further attempt.'),
  retryMaxMs: z.int().min(1).describe('Longest pause between two attempts, in ms.'),
  retryJitter: z
    .number()
    .min(0)
    .max(1)
    .describe(
      'Random part of each pause, from 0 to 1, so that records that failed together are not retried together.',
    ),
  maxWaiting: z
    .int()
    .min(1)
    .describe(
      'Largest number of records of a group that wait for a retry, including those that are blocked by them. At the limit, ' +
        'the partitions of further failures are paused until there is room.',
    ),
  deadLetterTopic: z
    .boolean()
    .describe('Whether to copy each dead letter to the topic TOPIC.MODULE-CONSUMER.dlq, for other programs.'),
};

export const consumerSettings = z.strictObject(settings);
export type ConsumerSettings = z.output<typeof consumerSettings>;

/** The settings of a consumer that has no more specific ones. */
export const consumerDefaults = z
  .strictObject({
    batchSize: settings.batchSize.default(50),
    takeEveryMs: settings.takeEveryMs.default(0),
    concurrency: settings.concurrency.default(1),
    restartDelayMs: settings.restartDelayMs.default(5_000),
    from: settings.from.default('earliest'),
    handlerTimeoutMs: settings.handlerTimeoutMs.default(30_000),
    ordering: settings.ordering.default('none'),
    maxAttempts: settings.maxAttempts.default(5),
    retryInitialMs: settings.retryInitialMs.default(1_000),
    retryMaxMs: settings.retryMaxMs.default(60_000),
    retryJitter: settings.retryJitter.default(0.25),
    maxWaiting: settings.maxWaiting.default(10_000),
    deadLetterTopic: settings.deadLetterTopic.default(true),
  })
  .prefault({});
