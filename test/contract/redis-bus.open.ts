import { RedisBus } from '../../src/bus/adapters/redis.bus.js';
import { redisStreamsOptions } from '../../src/bus/adapters/redis.options.js';
import type { WorkerNumber } from '../../src/bus/adapters/redis.assignment.js';
import { BrokerStatus } from '../../src/metrics/index.js';
import { redisDriverOptions } from '../../src/redis/index.js';

export interface RedisBusSettings {
  /** Settings of the driver: `url`, `clusterNodes`, … */
  readonly driver: object;
  readonly streams?: object;
  readonly worker?: WorkerNumber;
}

/** Settings that make a test quick: a lease is short, and a rejected batch comes again soon. */
export function open(given: unknown, status = new BrokerStatus('redis (instant lane)')): Promise<RedisBus> {
  const { driver, streams = {}, worker } = given as RedisBusSettings;
  return RedisBus.open(
    {
      ...redisDriverOptions.parse({ reconnectMaxDelayMs: 200, ...driver }),
      streams: redisStreamsOptions.parse({
        leaseMs: 1_500,
        heartbeatIntervalMs: 100,
        retryInitialDelayMs: 20,
        ...streams,
      }),
      worker,
    },
    status,
  );
}
