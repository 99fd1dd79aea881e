import type { KafkaDriverOptions } from '../adapters/kafka/kafka.options.js';
import type { PulsarDriverOptions } from '../adapters/pulsar/pulsar.options.js';
import type { BusOptions } from '../bus.options.js';

/** The options of a driver that a pool can change, with the same names for all drivers. */
export interface PoolTuning {
  readonly connectTimeoutMs?: number | undefined;
  readonly waitTimeoutMs?: number | undefined;
  /** Of a member of a consumer group. */
  readonly heartbeatMs?: number | undefined;
  /** How often it is checked that the connection works. */
  readonly checkIntervalMs?: number | undefined;
  /** The name of the Redis. */
  readonly pool?: string | undefined;
}

type RedisOptions = NonNullable<BusOptions['drivers']['redis']>;

/** The number of missed heartbeats after which a group member counts as dead. */
const MISSED_HEARTBEATS = { kafka: 4, redis: 3 };

export function tunedKafka(options: KafkaDriverOptions, tuning: PoolTuning): KafkaDriverOptions {
  const { connectTimeoutMs, waitTimeoutMs, heartbeatMs } = tuning;
  return {
    ...options,
    connectTimeoutMs: connectTimeoutMs ?? options.connectTimeoutMs,
    sendTimeoutMs: waitTimeoutMs ?? options.sendTimeoutMs,
    checkIntervalMs: tuning.checkIntervalMs ?? options.checkIntervalMs,
    sessionTimeoutMs:
      heartbeatMs === undefined ? options.sessionTimeoutMs : MISSED_HEARTBEATS.kafka * heartbeatMs,
  };
}

export function tunedPulsar(options: PulsarDriverOptions, tuning: PoolTuning): PulsarDriverOptions {
  return {
    ...options,
    connectTimeoutMs: tuning.connectTimeoutMs ?? options.connectTimeoutMs,
    sendTimeoutMs: tuning.waitTimeoutMs ?? options.sendTimeoutMs,
    pingIntervalMs: tuning.checkIntervalMs ?? tuning.heartbeatMs ?? options.pingIntervalMs,
  };
}

/** Extends the lease if it would end before the next heartbeats. */
export function tunedRedis(options: RedisOptions, tuning: PoolTuning): RedisOptions {
  const { streams } = options;
  const heartbeatIntervalMs = tuning.heartbeatMs ?? streams.heartbeatIntervalMs;
  return {
    ...options,
    connectTimeoutMs: tuning.connectTimeoutMs ?? options.connectTimeoutMs,
    commandTimeoutMs: tuning.waitTimeoutMs ?? options.commandTimeoutMs,
    keepAliveIntervalMs: tuning.checkIntervalMs ?? options.keepAliveIntervalMs,
    streams: {
      ...streams,
      heartbeatIntervalMs,
      leaseMs: Math.max(streams.leaseMs, MISSED_HEARTBEATS.redis * heartbeatIntervalMs),
    },
  };
}
