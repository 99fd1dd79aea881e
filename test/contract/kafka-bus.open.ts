import { KafkaBus } from '../../src/bus/adapters/kafka.bus.js';
import { kafkaDriverOptions } from '../../src/bus/adapters/kafka.options.js';
import { BrokerStatus } from '../../src/metrics/index.js';

/** Settings that make a test quick: silence is noticed early, and a rejected batch comes again soon. */
export function open(given: unknown, status = new BrokerStatus('kafka (instant lane)')): Promise<KafkaBus> {
  const quick = { partitions: 4, sessionTimeoutMs: 6_000, retryInitialDelayMs: 20, ...(given as object) };
  return KafkaBus.open(kafkaDriverOptions.parse(quick), status);
}
