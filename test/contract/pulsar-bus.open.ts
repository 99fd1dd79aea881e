import { PulsarBus } from '../../src/bus/adapters/pulsar.bus.js';
import { pulsarDriverOptions } from '../../src/bus/adapters/pulsar.options.js';
import { BrokerStatus } from '../../src/metrics/index.js';

/** Settings that make a test quick: silence is noticed early, and a rejected batch comes again soon. */
export function open(
  given: unknown,
  status = new BrokerStatus('pulsar (instant lane)'),
  topics: readonly string[] = [],
): Promise<PulsarBus> {
  const quick = { retryInitialDelayMs: 20, reconnectMaxDelayMs: 500, ...(given as object) };
  return PulsarBus.open(pulsarDriverOptions.parse(quick), status, topics);
}
