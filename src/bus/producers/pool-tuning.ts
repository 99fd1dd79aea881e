import type { KafkaDriverOptions } from '../adapters/kafka/kafka.options.js';
import type { PulsarDriverOptions } from '../adapters/pulsar/pulsar.options.js';
import type { BusOptions } from '../bus.options.js';

/** What a pool changes in the options of its driver, in words that all drivers share. */
export interface PoolTuning {
  readonly connectTimeoutMs?: number | undefined;
  readonly waitTimeoutMs?: number | undefined;
  readonly heartbeatMs?: number | undefined;
}

type RedisOptions = NonNullable<BusOptions['drivers']['redis']>;

/** Heartbeats that may be missed before a member of a group counts as dead. */
const MISSED = { kafka: 4, redis: 3 };

export function tunedKafka(options: KafkaDriverOptions, tuning: PoolTuning): KafkaDriverOptions {
  const { connectTimeoutMs, waitTimeoutMs, heartbeatMs } = tuning;
  return {
    ...options,
    connectTimeoutMs: connectTimeoutMs ?? options.connectTimeoutMs,
    sendTimeoutMs: waitTimeoutMs ?? options.sendTimeoutMs,
    sessionTimeoutMs: heartbeatMs === undefined ? options.sessionTimeoutMs : MISSED.kafka * heartbeatMs,
  };
}

export function tunedPulsar(options: PulsarDriverOptions, tuning: PoolTuning): PulsarDriverOptions {
  return {
    ...options,
    connectTimeoutMs: tuning.connectTimeoutMs ?? options.connectTimeoutMs,
    sendTimeoutMs: tuning.waitTimeoutMs ?? options.sendTimeoutMs,
    pingIntervalMs: tuning.heartbeatMs ?? options.pingIntervalMs,
  };
}

/** A lease that heartbeats would not reach is made longer. */
export function tunedRedis(options: RedisOptions, tuning: PoolTuning): RedisOptions {
  const { streams } = options;
  const heartbeatIntervalMs = tuning.heartbeatMs ?? streams.heartbeatIntervalMs;
  return {
    ...options,
    connectTimeoutMs: tuning.connectTimeoutMs ?? options.connectTimeoutMs,
    commandTimeoutMs: tuning.waitTimeoutMs ?? options.commandTimeoutMs,
    streams: {
      ...streams,
      heartbeatIntervalMs,
      leaseMs: Math.max(streams.leaseMs, MISSED.redis * heartbeatIntervalMs),
    },
  };
}
