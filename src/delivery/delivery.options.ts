import { z } from 'zod';
import { redisDriverOptions } from '../redis/index.js';
import type { SqliteDriverOptions } from '../sqlite/index.js';
import { channelsOptions } from './channels/channel-options.js';

const localFanoutOptions = z.strictObject({
  kind: z
    .literal('local')
    .describe(
      '`local`: there is only this process, or its workers. `redis`: the clients are spread over several processes.',
    ),
});

const redisFanoutOptions = redisDriverOptions
  .safeExtend({
    kind: z.literal('redis'),
    shards: z
      .array(redisDriverOptions.shape.url)
      .default([])
      .describe(
        'Several Redis servers, over which the channels are spread, instead of `url`. All processes need the same servers in the same ' +
          'order. Add a new server at the end.',
      )
      .meta({ secret: true }),
    sharded: z
      .boolean()
      .default(false)
      .describe(
        'Whether to use SPUBLISH and SSUBSCRIBE (Redis 7) instead of PUBLISH and SUBSCRIBE. All processes need the same value. In a Cluster ' +
          'a publication then goes to one node instead of all nodes.',
      ),
    pingIntervalMs: z
      .int()
      .min(100)
      .default(1_000)
      .describe('Interval between checks of the connection for subscriptions, in ms.'),
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
      .describe(
        'Maximum number of publications that wait for a reply from Redis. Above it they are refused at once.',
      ),
    replayWindowMs: z
      .int()
      .min(1_000)
      .default(30_000)
      .describe(
        'How long Redis and the sender store publications with an id for processes that lost their connection, in ms. A process that is ' +
          'disconnected for longer misses messages.',
      ),
    replayStreams: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe(
        'Number of partitions of the channels, each with its own stream. All processes need the same value. In a Cluster each partition ' +
          'is on one node, and each process has a connection for each partition: use several times the number of nodes.',
      ),
    replayMaxEntries: z
      .int()
      .min(1)
      .default(50_000)
      .describe(
        'Approximate maximum number of publications that Redis stores. At a high rate it shortens the window.',
      ),
    replayMaxBytes: z
      .int()
      .min(0)
      .default(16 * 1024 * 1024)
      .describe('Maximum bytes of its own publications that a sender stores in case Redis loses its data.'),
  })
  .refine(
    ({ shards, clusterNodes, sentinels }) =>
      shards.length === 0 || clusterNodes.length + sentinels.length === 0,
    {
      error: 'cannot be combined with clusterNodes or sentinels',
      path: ['shards'],
    },
  );

/** How this process delivers messages to clients, its own and those of other processes. */
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
            'Approximate maximum bytes of all histories, with the `local` fan-out. Above it the histories of the least recently used ' +
              'channels are removed, which their clients notice when they recover.',
          ),
        historyMaxChannels: z
          .int()
          .min(1)
          .default(1_000_000)
          .describe('Maximum number of channels with a position, with the `local` fan-out.'),
        idempotencyMaxKeys: z
          .int()
          .min(1)
          .default(500_000)
          .describe(
            'Maximum number of idempotency keys and of ids of messages with a history, with the `local` fan-out.',
          ),
      })
      .prefault({}),
    responseMaxBytes: z
      .int()
      .min(1_024)
      .default(1_048_576)
      .describe(
        'Largest size of the publications of a history, or of the clients of a channel, in one reply to a client, in bytes. A history ' +
          'that is larger ends early, and the client can request the rest; one publication always fits. A presence that is larger is ' +
          'refused. Not more than `gateway.outboxMaxBytes`: a larger reply would close the client.',
      ),
    idempotencyWindowMs: z
      .int()
      .min(1_000)
      .default(300_000)
      .describe('How long the idempotency key of a publication is remembered in its channel, in ms.'),
    nodeName: z
      .string()
      .default('')
      .describe('Name of this process in the list of nodes. Empty: the host name.'),
    nodeAnnounceIntervalMs: z
      .int()
      .min(100)
      .default(3_000)
      .describe(
        'Interval at which a process announces itself to the others, in ms. After three missing announcements it is removed from the list.',
      ),
    surveyTimeoutMs: z
      .int()
      .min(100)
      .default(3_000)
      .describe(
        'Longest wait for the replies of the other processes, for example to the list of channels, in ms.',
      ),
    registry: z
      .strictObject({
        leaseMs: z
          .int()
          .min(1_000)
          .max(600_000)
          .default(10_000)
          .describe(
            'After this time without a sign of life of a process, another one calls the cleanup for its registered connections, in ms.',
          ),
        cleanupConcurrency: z
          .int()
          .min(1)
          .max(10_000)
          .default(64)
          .describe(
            'Maximum number of cleanups of registered connections that this process does at the same time.',
          ),
        cleanupGiveUpAfterMs: z
          .int()
          .min(0)
          .default(3_600_000)
          .describe('For how long a cleanup that fails is tried again, in ms.'),
      })
      .prefault({}),
    deduplicationWindowMs: z
      .int()
      .min(1_000)
      .default(300_000)
      .describe('How long a message id is remembered, in ms. A second copy within this time is dropped.'),
    deduplicationMaxEntries: z
      .int()
      .min(1_000)
      .default(500_000)
      .describe(
        'Maximum number of message ids, of 27 to 53 bytes each. At a high rate it shortens the window, which is logged.',
      ),
    laneConcurrency: z
      .int()
      .min(1)
      .default(64)
      .describe('Maximum number of delayed messages that this process delivers at the same time.'),
    drainTimeoutMs: z
      .int()
      .min(0)
      .default(5_000)
      .describe('How long a shutdown waits for the delivery of messages that were read from a queue, in ms.'),
  })
  .prefault({});

export type RedisFanoutOptions = z.output<typeof redisFanoutOptions>;
export type DeliveryOptions = z.output<typeof deliveryOptions>;

/** The options, with what is not configured. */
export type DeliveryModuleOptions = DeliveryOptions & {
  /** Where the embedded file of registered connections is. Absent: they are in memory. */
  readonly sqlite?: SqliteDriverOptions;
  /** Version of the program, for the list of nodes. */
  readonly version?: string;
};
