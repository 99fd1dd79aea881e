import type { ScheduleLimits } from '../../../src/bus/lanes/delayed-lane.options.js';
import { redisDriverOptions } from '../../../src/redis/index.js';
import {
  RedisSchedule,
  type RedisScheduleOptions,
} from '../../../src/bus/adapters/redis/schedule/redis.schedule.js';
import { roomy } from './schedule-limits.js';
import { BrokerStatus } from '../../../src/metrics/index.js';

export const leaseMs = 500;

type Given = Partial<Omit<RedisScheduleOptions, keyof ScheduleLimits>> & { url: string };

/** Uses short pauses and leases, and long timeouts for a busy machine. */
export function open(
  given: unknown,
  status = new BrokerStatus('redis (delayed lane)'),
): Promise<RedisSchedule> {
  const { now, url, clusterNodes = [], keyPrefix, ...rest } = given as Given;
  const patient = { connectTimeoutMs: 20_000, commandTimeoutMs: 20_000 };
  return RedisSchedule.open(
    {
      ...redisDriverOptions.parse({ url, clusterNodes, keyPrefix, ...patient, reconnectMaxDelayMs: 200 }),
      ...roomy,
      leaseMs,
      pollIntervalMs: 50,
      rememberMs: 60_000,
      retryInitialMs: 20,
      retryMaxMs: 1_000,
      closeTimeoutMs: 5_000,
      ...rest,
      ...(now === undefined ? {} : { now }),
    },
    status,
  );
}
