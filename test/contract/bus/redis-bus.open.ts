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

/** For how long a busy machine may stop a process before others take what it has. */
export const leaseMs = 4_000;

/** As the options are by default, where the others wait for a machine that is busy. */
export const hasty = { connectTimeoutMs: undefined, commandTimeoutMs: undefined };

/** A rejected batch comes again soon; a call waits for a machine that is busy. */
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
