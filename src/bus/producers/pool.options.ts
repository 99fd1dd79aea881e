import { z } from 'zod';

const tuning = {
  connectTimeoutMs: z
    .int()
    .min(100)
    .optional()
    .describe("Longest wait for a connection, in ms (`connect_timeout`). Without it the driver's own."),
  waitTimeoutMs: z
    .int()
    .min(100)
    .optional()
    .describe(
      "Longest wait for the broker to take or answer something, in ms (`wait_timeout`). Without it the driver's own.",
    ),
};

const size = {
  minConnections: z
    .int()
    .min(0)
    .default(1)
    .describe('Connections that stay open once they were made (`min_connections`).'),
  maxConnections: z
    .int()
    .min(1)
    .default(1)
    .describe(
      'Most connections (`max_connections`). A topic keeps to one of them, so that its order is kept; more help where many ' +
        'topics are busy.',
    ),
  maxIdleMs: z
    .int()
    .min(1)
    .default(60_000)
    .describe(
      'After how long without use a connection beyond `minConnections` is closed, in ms (`max_idle_time`).',
    ),
};

const pingMs = z
  .int()
  .min(100)
  .optional()
  .describe("How often a connection is checked, in ms (`heartbeat`). Without it the driver's own.");

const isSane = ({ minConnections, maxConnections }: { minConnections: number; maxConnections: number }) =>
  minConnections <= maxConnections;
const insane = { error: 'is above maxConnections', path: ['minConnections'] };

/**
 * Connections to publish with, by driver. Without an entry, the driver's one connection serves for everything. Producers of
 * Kafka and Redis have no heartbeat to set: their silence is noticed by the calls that are not answered.
 */
export const producerPools = z
  .strictObject({
    kafka: z
      .strictObject({ ...size, ...tuning })
      .refine(isSane, insane)
      .optional(),
    pulsar: z
      .strictObject({ ...size, ...tuning, heartbeatMs: pingMs })
      .refine(isSane, insane)
      .optional(),
    redis: z
      .strictObject({ ...size, ...tuning })
      .refine(isSane, insane)
      .optional(),
  })
  .prefault({});

/**
 * Connections of a module's consumers, by driver. How many there are follows from the consumers: each has its own while it
 * runs, so there is neither a smallest nor a largest number to set.
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
            'How often a consumer tells its group that it lives, in ms. Four are missed before it counts as dead.',
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
            'How often a process extends its leases of partitions, in ms. Three are missed before they end.',
          ),
      })
      .optional(),
  })
  .prefault({});

export type ProducerPools = z.output<typeof producerPools>;
export type ConsumerPools = z.output<typeof consumerPools>;

export type PoolSize = z.output<z.ZodObject<typeof size>>;
