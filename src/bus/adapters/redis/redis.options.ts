import { z } from 'zod';
import { drainTimeoutMs, redelivery } from '../../retries/redelivery.options.js';

/** How the bus keeps its topics in Redis Streams. Where Redis is, the driver's own options say. */
export const redisStreamsOptions = z
  .strictObject({
    partitions: z
      .int()
      .min(1)
      .max(1_024)
      .default(8)
      .describe(
        'Streams of a topic: the most handlers that one group can have at work on it. The first process that uses a ' +
          'topic decides; one with another number is turned away from it.',
      ),
    streamName: z
      .string()
      .regex(/<topic>.*<partition>/, 'needs <topic> and, behind it, <partition>')
      .regex(/^[^{}]*(\{[^{}]+\}[^{}]*)?$/, 'may have one pair of braces, with something in it')
      .default('<prefix>:{<topic>:<partition>}')
      .describe(
        'Name of the stream of a partition, from <prefix> (`keyPrefix`), <topic> and <partition> (from 0 on). What is in ' +
          'braces decides its node in a Cluster. `<topic>:<partition>` turns a topic `partition` into `partition:0` and so on.',
      ),
    maxLength: z
      .int()
      .min(0)
      .default(10_000)
      .describe(
        'About how many records a stream keeps after every group acknowledged them, for groups that start at `earliest`. ' +
          'What a group still needs is kept beyond it, without limit. Removed by the hundred.',
      ),
    readAhead: z
      .int()
      .min(1)
      .max(2_000)
      .default(200)
      .describe(
        'Most records that are read of a partition at a time. Up to two such reads wait in memory; a process that ' +
          'dies leaves them to its successor.',
      ),
    maxQueuedBytes: z
      .int()
      .min(1_024)
      .default(64 * 1024 * 1024)
      .describe('Bytes that may wait to be sent. Beyond it a publish fails as `broker_unavailable`.'),
    leaseMs: z
      .int()
      .min(300)
      .default(10_000)
      .describe(
        'How long a partition stays with a process that is not heard of any more, in ms; then another takes it. ' +
          'A process whose event loop stands still for longer may meet its successor inside a partition.',
      ),
    heartbeatIntervalMs: z
      .int()
      .min(20)
      .default(1_000)
      .describe(
        'How often a process extends its leases and looks who else is there, in ms. A partition changes hands ' +
          'within about two of them after a member joined or left.',
      ),
    ...redelivery,
    drainTimeoutMs,
  })
  .refine((options) => options.leaseMs >= 3 * options.heartbeatIntervalMs, {
    error: 'a lease must outlast three heartbeats, or one lost answer ends it',
    path: ['leaseMs'],
  });

export type RedisStreamsOptions = z.infer<typeof redisStreamsOptions>;
