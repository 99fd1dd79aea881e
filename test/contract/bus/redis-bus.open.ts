import { RedisBus } from '../../../src/bus/adapters/redis/redis.bus.js';
import { redisStreamsOptions } from '../../../src/bus/adapters/redis/redis.options.js';
import type { WorkerNumber } from '../../../src/bus/adapters/redis/streams/assignment.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisDriverOptions } from '../../../src/redis/index.js';

export interface RedisBusSettings {
  /** Settings of the driver: `url`, `clusterNodes`, … */
  readonly driver: object;
  readonly streams?: object;
  readonly worker?: WorkerNumber;
}

/** How long a busy machine may suspend a process before other processes take its partitions. */
export const leaseMs = 4_000;

/** Restores the default timeouts, where `open` uses longer ones for a busy machine. */
export const defaultTimeouts = { connectTimeoutMs: undefined, commandTimeoutMs: undefined };

/** Retries a rejected batch soon, and uses long timeouts for a busy machine. */
export function open(given: unknown, status = new BrokerStatus('redis (instant lane)')): Promise<RedisBus> {
  const { driver, streams = {}, worker } = given as RedisBusSettings;
  const patient = { connectTimeoutMs: 20_000, commandTimeoutMs: 20_000 };
  return RedisBus.open(
    {
      ...redisDriverOptions.parse({ reconnectMaxDelayMs: 200, ...patient, ...driver }),
      streams: redisStreamsOptions.parse({
        leaseMs,
        heartbeatIntervalMs: 100,
        retryInitialDelayMs: 20,
        ...streams,
      }),
      worker,
    },
    status,
  );
}
