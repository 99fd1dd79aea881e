import { z } from 'zod';

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
    .describe('Number of connections that stay open after the first use (`min_connections`).'),
  maxConnections: z
    .int()
    .min(1)
    .default(1)
    .describe(
      'Largest number of connections (`max_connections`). Each topic uses one connection, so that its order is kept. More ' +
        'connections help if many topics are busy.',
    ),
  maxIdleMs: z
    .int()
    .min(1)
    .default(60_000)
    .describe(
      'Idle time after which a connection beyond `minConnections` is closed, in ms (`max_idle_time`).',
    ),
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

/**
 * Pools of connections to publish with, by driver. Without an entry, one connection of the driver is used for everything. Producers
 * of Kafka and Redis have no heartbeat: a lost connection is noticed by the time-out of a call.
 */
export const producerPools = z
  .strictObject({
    kafka: z
      .strictObject({ ...size, ...tuning })
      .refine(isValidSize, invalidSize)
      .optional(),
    pulsar: z
      .strictObject({ ...size, ...tuning, heartbeatMs: pingMs })
      .refine(isValidSize, invalidSize)
      .optional(),
    redis: z
      .strictObject({ ...size, ...tuning })
      .refine(isValidSize, invalidSize)
      .optional(),
  })
  .prefault({});

/**
 * Connections of a module's consumers, by driver. Their number cannot be set, because each running consumer has its own
 * connection.
 */
export const consumerPools = z
  .strictObject({
    kafka: z
      .strictObject({
        ...tuning,
        heartbeatMs: z
          .int()
          .min(1_500)
          .optional()
          .describe(
            'How often a consumer sends a heartbeat to its group, in ms. It counts as dead after four missed heartbeats.',
          ),
      })
      .optional(),
    pulsar: z.strictObject({ ...tuning, heartbeatMs: pingMs }).optional(),
    redis: z
      .strictObject({
        ...tuning,
        heartbeatMs: z
          .int()
          .min(20)
          .optional()
          .describe(
            'How often a process renews the leases of its partitions, in ms. A lease ends after three missed renewals.',
          ),
      })
      .optional(),
  })
  .prefault({});

export type ProducerPools = z.output<typeof producerPools>;
export type ConsumerPools = z.output<typeof consumerPools>;

export type PoolSize = z.output<z.ZodObject<typeof size>>;
