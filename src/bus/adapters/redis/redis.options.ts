import { z } from 'zod';
import { drainTimeoutMs, redelivery } from '../../retries/redelivery.options.js';

/** How the bus keeps its topics in Redis Streams. The options of the Redis driver say how to reach Redis. */
export const redisStreamsOptions = z
  .strictObject({
    partitions: z
      .int()
      .min(1)
      .max(1_024)
      .optional()
      .describe(
        'Number of streams of a topic, which is also the largest number of handlers that one group can run on it at once. ' +
          'Default: 8, or 1 if `streamName` does not contain <partition>. ' +
          'The first process that uses a topic stores this number; a process with another number is refused.',
      ),
    streamName: z
      .string()
      .regex(/<topic>/, 'must contain <topic>')
      .regex(/^(?!.*<partition>.*<topic>)/, 'must contain <partition> after <topic>')
      .regex(/^[^{}]*(\{[^{}]+\}[^{}]*)?$/, 'may contain one pair of braces, which must not be empty')
      .default('<prefix>:{<topic>:<partition>}')
      .describe(
        'Name of the stream of a partition, made of <prefix> (`keyPrefix`), <topic> and <partition> (counted from 0). ' +
          'The part in braces decides which node of a Cluster holds the stream. With `<topic>:<partition>`, the streams ' +
          'of the topic `orders` are `orders:0`, `orders:1` and so on. With `<topic>`, a topic is the single stream of its ' +
          'name, to which programs can write that know nothing of partitions.',
      ),
    maxLength: z
      .int()
      .min(0)
      .default(10_000)
      .describe(
        'Approximate number of records that a stream keeps after every group has acknowledged them, for groups that ' +
          'start at `earliest`. Records that a group still needs are always kept, without limit. Redis removes about ' +
          'a hundred records at a time, and each process looks after a tenth of this number, at most after 1,000.',
      ),
    readAhead: z
      .int()
      .min(1)
      .max(2_000)
      .default(200)
      .describe(
        'Largest number of records that are read from a partition at a time. Up to two such reads wait in memory. ' +
          'If a process dies, the next owner of the partition receives them.',
      ),
    maxQueuedBytes: z
      .int()
      .min(1_024)
      .default(64 * 1024 * 1024)
      .describe(
        'Largest number of bytes that may wait to be sent. Beyond it, publishing fails with `broker_unavailable`.',
      ),
    leaseMs: z
      .int()
      .min(300)
      .default(10_000)
      .describe(
        'How long a process that stopped sending heartbeats keeps its partitions, in ms. Then other processes take ' +
          'them. If the event loop of a process is blocked for longer than this, its handler and that of the next ' +
          'owner may work on a partition at the same time.',
      ),
    heartbeatIntervalMs: z
      .int()
      .min(20)
      .default(1_000)
      .describe(
        'How often a process extends its leases and looks for other members of its groups, in ms. Partitions move ' +
          'within about two intervals after a member joined or left.',
      ),
    ...redelivery,
    drainTimeoutMs,
  })
  .refine((options) => options.leaseMs >= 3 * options.heartbeatIntervalMs, {
    error: 'must be at least three times heartbeatIntervalMs, otherwise one lost reply ends a lease',
    path: ['leaseMs'],
  })
  .refine((options) => (options.partitions ?? 1) === 1 || options.streamName.includes('<partition>'), {
    error: 'must be 1 or absent, because streamName does not contain <partition>',
    path: ['partitions'],
  });

export type RedisStreamsOptions = z.infer<typeof redisStreamsOptions>;

const DEFAULT_PARTITIONS = 8;

/** Returns the number of streams of a topic. */
export function partitionCount({ partitions, streamName }: RedisStreamsOptions): number {
  return partitions ?? (streamName.includes('<partition>') ? DEFAULT_PARTITIONS : 1);
}
