import { z } from 'zod';
import { consumerSettings } from '../consumers/consumer.options.js';

const tuning = {
  connectTimeoutMs: z
    .int()
    .min(100)
    .optional()
    .describe("Time-out for a connection, in ms (`connect_timeout`). The default is the driver's time-out."),
  waitTimeoutMs: z
    .int()
    .min(100)
    .optional()
    .describe(
      "Time-out for a response of the broker, in ms (`wait_timeout`). The default is the driver's time-out.",
    ),
};

const size = {
  minConnections: z
    .int()
    .min(0)
    .default(1)
    .describe('Number of connections that are opened at the start and stay open (`min_connections`).'),
  maxConnections: z
    .int()
    .min(1)
    .default(1)
    .describe(
      'Largest number of connections (`max_connections`). Each topic, or each consumer, uses one connection, so that the order ' +
        'is kept. More connections help if many topics or consumers are busy.',
    ),
  maxIdleMs: z
    .int()
    .min(1)
    .default(60_000)
    .describe(
      'Idle time after which a connection beyond `minConnections` is closed, in ms (`max_idle_time`).',
    ),
};

/** The name of the Redis that `drivers.redis` describes. */
export const DEFAULT_POOL = 'default';

const poolName = z
  .string()
  .min(1)
  .default(DEFAULT_POOL)
  .describe(
    'Name of the Redis (`pool`): one of `bus.redisPools`, or `default`, which is `bus.drivers.redis`.',
  );

const consuming = {
  batchSize: consumerSettings.shape.batchSize.optional(),
  takeEveryMs: consumerSettings.shape.takeEveryMs.optional(),
  concurrency: consumerSettings.shape.concurrency.optional(),
  restartDelayMs: consumerSettings.shape.restartDelayMs.optional(),
};

const pingMs = z
  .int()
  .min(100)
  .optional()
  .describe("How often a connection is checked, in ms (`heartbeat`). The default is the driver's interval.");

const isValidSize = ({
  minConnections,
  maxConnections,
}: {
  minConnections: number;
  maxConnections: number;
}) => minConnections <= maxConnections;
const invalidSize = { error: 'is above maxConnections', path: ['minConnections'] };

/** Pools of connections to publish with, by driver. Without an entry, one connection of the driver is used for everything. */
export const producerPools = z
  .strictObject({
    kafka: z
      .strictObject({ ...size, ...tuning, heartbeatMs: pingMs })
      .refine(isValidSize, invalidSize)
      .optional(),
    pulsar: z
      .strictObject({ ...size, ...tuning, heartbeatMs: pingMs })
      .refine(isValidSize, invalidSize)
      .optional(),
    redis: z
      .strictObject({ ...size, ...tuning, heartbeatMs: pingMs, pool: poolName })
      .refine(isValidSize, invalidSize)
      .optional(),
  })
  .prefault({});

/** Connections of a module's consumers, by driver, and settings of those of its consumers that use the driver. */
export const consumerPools = z
  .strictObject({
    kafka: z
      .strictObject({
        ...size,
        ...tuning,
        ...consuming,
        heartbeatMs: z
          .int()
          .min(1_500)
          .optional()
          .describe(
            'How often a consumer sends a heartbeat to its group, in ms. It counts as dead after four missed heartbeats.',
          ),
      })
      .refine(isValidSize, invalidSize)
      .optional(),
    pulsar: z
      .strictObject({ ...size, ...tuning, ...consuming, heartbeatMs: pingMs })
      .refine(isValidSize, invalidSize)
      .optional(),
    redis: z
      .strictObject({
        ...size,
        ...tuning,
        ...consuming,
        pool: poolName,
        heartbeatMs: z
          .int()
          .min(20)
          .optional()
          .describe(
            'How often a process renews the leases of its partitions, in ms. A lease ends after three missed renewals.',
          ),
      })
      .refine(isValidSize, invalidSize)
      .optional(),
  })
  .prefault({});

export type ProducerPools = z.output<typeof producerPools>;
export type ConsumerPools = z.output<typeof consumerPools>;

export type PoolSize = z.output<z.ZodObject<typeof size>>;
