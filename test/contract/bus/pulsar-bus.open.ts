import { PulsarBus } from '../../../src/bus/adapters/pulsar/pulsar.bus.js';
import { pulsarDriverOptions } from '../../../src/bus/adapters/pulsar/pulsar.options.js';
import { BrokerStatus } from '../../../src/metrics/index.js';

/** As the options are by default, where the others wait for a machine that is busy. */
export const hasty = { connectTimeoutMs: undefined, sendTimeoutMs: undefined };

/** A rejected batch comes again soon; a call waits for a machine that is busy. */
export function open(
  given: unknown,
  status = new BrokerStatus('pulsar (instant lane)'),
  topics: readonly string[] = [],
): Promise<PulsarBus> {
  const patient = { connectTimeoutMs: 20_000, sendTimeoutMs: 20_000 };
  const quick = { retryInitialDelayMs: 20, reconnectMaxDelayMs: 500, ...patient, ...(given as object) };
  return PulsarBus.open(pulsarDriverOptions.parse(quick), status, topics);
}
