import { pulsarDriverOptions, pulsarScheduleOptions } from '../../src/bus/adapters/pulsar.options.js';
import { PulsarSchedule } from '../../src/bus/adapters/pulsar.schedule.js';
import { RedisLedger } from '../../src/bus/adapters/redis.ledger.js';
import { SqliteLedger } from '../../src/bus/adapters/sqlite.ledger.js';
import { BrokerStatus } from '../../src/metrics/index.js';
import { redisDriverOptions } from '../../src/redis/index.js';

export const leaseMs = 500;

export interface PulsarScheduleGiven {
  readonly serviceUrl: string;
  readonly topic: string;
  /** Where the ledger is: the path of a file, or a server with the prefix of its keys. */
  readonly ledger: string | { readonly url: string; readonly keyPrefix: string };
  readonly driver?: object;
  readonly lane?: object;
  readonly now?: () => number;
}

/** Settings that make a test quick. */
export async function open(
  given: unknown,
  status = new BrokerStatus('pulsar (delayed lane)'),
): Promise<PulsarSchedule> {
  const { serviceUrl, topic, ledger, driver, lane, now } = given as PulsarScheduleGiven;
  const options = {
    ...pulsarDriverOptions.parse({ serviceUrl, reconnectMaxDelayMs: 500, ...driver }),
    ...pulsarScheduleOptions.parse({ topic, ...lane }),
    leaseMs,
    // Above the broker's own pause, which is about 100 ms and would hide how ours grow.
    retryInitialMs: 100,
    retryMaxMs: 1_000,
    closeTimeoutMs: 5_000,
    ...(now === undefined ? {} : { now }),
  };
  return PulsarSchedule.open(options, await openLedger(ledger), status);
}

function openLedger(where: PulsarScheduleGiven['ledger']) {
  const remembering = { leaseMs, rememberMs: 60_000 };
  const status = new BrokerStatus('ledger');
  return typeof where === 'string'
    ? SqliteLedger.open({ path: where, synchronous: 'normal', ...remembering }, status)
    : RedisLedger.open(
        { ...redisDriverOptions.parse({ ...where, reconnectMaxDelayMs: 200 }), ...remembering },
        status,
      );
}
