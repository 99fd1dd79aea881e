import {
  pulsarDriverOptions,
  pulsarScheduleOptions,
} from '../../../src/bus/adapters/pulsar/pulsar.options.js';
import { PulsarSchedule } from '../../../src/bus/adapters/pulsar/schedule/pulsar.schedule.js';
import { RedisLedger } from '../../../src/bus/adapters/redis/schedule/redis.ledger.js';
import { SqliteLedger } from '../../../src/bus/adapters/sqlite/sqlite.ledger.js';
import { roomy } from './schedule-limits.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisDriverOptions } from '../../../src/redis/index.js';

export const leaseMs = 500;
/** Above the broker's own pause of about 100 ms, which would hide how Carillon's pauses grow. */
export const retryInitialMs = 100;

export interface PulsarScheduleSettings {
  readonly serviceUrl: string;
  readonly topic: string;
  /** The ledger: the path of a file, or a Redis server with a key prefix. */
  readonly ledger: string | { readonly url: string; readonly keyPrefix: string };
  readonly driver?: object;
  readonly lane?: object;
  readonly now?: () => number;
  readonly leaseMs?: number;
}

/** Uses short pauses and leases, and long timeouts: the machine may be busy, and some tests send thousands of messages at once. */
export async function open(
  given: unknown,
  status = new BrokerStatus('pulsar (delayed lane)'),
): Promise<PulsarSchedule> {
  const { serviceUrl, topic, ledger, driver, lane, now, ...lease } = given as PulsarScheduleSettings;
  const patient = { connectTimeoutMs: 20_000, sendTimeoutMs: 20_000 };
  const options = {
    ...pulsarDriverOptions.parse({ serviceUrl, reconnectMaxDelayMs: 500, ...patient, ...driver }),
    ...pulsarScheduleOptions.parse({ topic, ...lane }),
    leaseMs,
    ...lease,
    retryInitialMs,
    retryMaxMs: 1_000,
    closeTimeoutMs: 5_000,
    ...(now === undefined ? {} : { now }),
  };
  return PulsarSchedule.open(options, await openLedger(ledger, { leaseMs, ...lease }), status);
}

function openLedger(where: PulsarScheduleSettings['ledger'], lease: { leaseMs: number }) {
  const ledgerOptions = { ...roomy, ...lease, rememberMs: 60_000 };
  const status = new BrokerStatus('ledger');
  return typeof where === 'string'
    ? SqliteLedger.open({ path: where, synchronous: 'normal', ...ledgerOptions }, status)
    : RedisLedger.open(
        { ...redisDriverOptions.parse({ ...where, reconnectMaxDelayMs: 200 }), ...ledgerOptions },
        status,
      );
}
