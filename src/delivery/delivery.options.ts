import { z } from 'zod';
import { redisDriverOptions } from '../redis/index.js';
import { channelsOptions } from './channels/channel-options.js';

const localFanoutOptions = z.strictObject({
  kind: z
    .literal('local')
    .describe('`local`: this process is alone. `redis`: several processes share the clients.'),
});

const redisFanoutOptions = redisDriverOptions
  .safeExtend({
    kind: z.literal('redis'),
    shards: z
      .array(redisDriverOptions.shape.url)
      .default([])
      .describe(
        'Several Redis servers, over which the channels are spread. They take the place of `url`. All processes must agree on ' +
          'them and on their order; a further one goes to the end.',
      )
      .meta({ secret: true }),
    sharded: z
      .boolean()
      .default(false)
      .describe(
        'Whether SPUBLISH and SSUBSCRIBE (Redis 7) take the place of PUBLISH and SUBSCRIBE. All processes must agree. In a Cluster ' +
          'a publication then goes to one node rather than to all of them.',
      ),
    pingIntervalMs: z
      .int()
      .min(100)
      .default(1_000)
      .describe('Pause between two checks that the connection for subscriptions is alive, in ms.'),
    probeTimeoutMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(10_000)
      .describe(
        'How long a probe that this process publishes to itself may take to arrive, in ms. After that the process connects to ' +
          'Redis again and is not ready until a probe arrives. A probe is sent about every `pingIntervalMs`.',
      ),
    maxPendingPublishes: z
      .int()
      .min(1)
      .default(20_000)
      .describe('Publications that may wait for an answer of Redis. Beyond it they are refused at once.'),
    replayWindowMs: z
      .int()
      .min(1_000)
      .default(30_000)
      .describe(
        'How long publications with an id are kept in Redis, and by their sender, for processes that are cut off, in ms. A ' +
          'process that is cut off for longer misses messages.',
      ),
    replayStreams: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe(
        'Parts that the channels are divided into, each with a stream of them. All processes must agree. In a Cluster all that ' +
          'belongs to a part is on one node, and each process listens to each part over a connection: take several times the number of nodes.',
      ),
    replayMaxEntries: z
      .int()
      .min(1)
      .default(50_000)
      .describe('Publications kept in Redis at most, roughly. At a high rate it shortens the window.'),
    replayMaxBytes: z
      .int()
      .min(0)
      .default(16 * 1024 * 1024)
      .describe('Bytes that a sender keeps of its own publications at most, in case Redis loses its data.'),
  })
  .refine(
    ({ shards, clusterNodes, sentinels }) =>
      shards.length === 0 || clusterNodes.length + sentinels.length === 0,
    {
      error: 'names servers one by one: leave out clusterNodes and sentinels',
      path: ['shards'],
    },
  );

/** Where this process delivers to. */
export const deliveryOptions = z
  .strictObject({
    fanout: z
      .discriminatedUnion('kind', [localFanoutOptions, redisFanoutOptions])
      .prefault({ kind: 'local' }),
    channels: channelsOptions.prefault({}),
    memory: z
      .strictObject({
        historyMaxBytes: z
          .int()
          .min(0)
          .default(256 * 1024 * 1024)
          .describe(
            'Bytes that the histories of a process that is alone take at most, roughly. Beyond it the channels that were not ' +
              'used for longest are forgotten, and their clients told so.',
          ),
        historyMaxChannels: z
          .int()
          .min(1)
          .default(1_000_000)
          .describe('Channels whose position such a process remembers at most.'),
        idempotencyMaxKeys: z
          .int()
          .min(1)
          .default(500_000)
          .describe('Idempotency keys, and ids of messages with a history, that it remembers at most.'),
      })
      .prefault({}),
    idempotencyWindowMs: z
      .int()
      .min(1_000)
      .default(300_000)
      .describe('How long the idempotency key of a publication is remembered in its channel, in ms.'),
    nodeName: z
      .string()
      .default('')
      .describe('How this process is called in the list of nodes. Empty: the name of the host.'),
    nodeAnnounceIntervalMs: z
      .int()
      .min(100)
      .default(3_000)
      .describe('Pause between two words of a process to the others, in ms. After three it counts as gone.'),
    surveyTimeoutMs: z
      .int()
      .min(100)
      .default(3_000)
      .describe('Longest wait for the answers of the other processes to a question, in ms.'),
    deduplicationWindowMs: z
      .int()
      .min(1_000)
      .default(300_000)
      .describe('How long a message id is remembered, in ms. A second copy inside it is dropped.'),
    deduplicationMaxEntries: z
      .int()
      .min(1_000)
      .default(500_000)
      .describe(
        'Message ids remembered at most, at 27 to 53 bytes each. At a high rate it shortens the window, which is logged.',
      ),
    laneConcurrency: z
      .int()
      .min(1)
      .default(64)
      .describe('Delayed messages that this process delivers at a time.'),
    drainTimeoutMs: z
      .int()
      .min(0)
      .default(5_000)
      .describe(
        'How long a shutdown waits for messages that were taken from a queue to be delivered, in ms.',
      ),
  })
  .prefault({});

export type RedisFanoutOptions = z.output<typeof redisFanoutOptions>;
export type DeliveryOptions = z.output<typeof deliveryOptions>;

/** With what is not configured. */
export type DeliveryModuleOptions = DeliveryOptions & {
  /** Of the program, for the list of nodes. */
  readonly version?: string;
};
