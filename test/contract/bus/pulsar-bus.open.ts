import { PulsarBus } from '../../../src/bus/adapters/pulsar/pulsar.bus.js';
import { pulsarDriverOptions } from '../../../src/bus/adapters/pulsar/pulsar.options.js';
import { BrokerStatus } from '../../../src/metrics/index.js';

/** Restores the default timeouts, where `open` uses longer ones for a busy machine. */
export const defaultTimeouts = { connectTimeoutMs: undefined, sendTimeoutMs: undefined };

/** Retries a rejected batch soon, and uses long timeouts for a busy machine. */
export function open(
  given: unknown,
  status = new BrokerStatus('pulsar (instant lane)'),
  topics: readonly string[] = [],
): Promise<PulsarBus> {
  const patient = { connectTimeoutMs: 20_000, sendTimeoutMs: 20_000 };
  const quick = { retryInitialDelayMs: 20, reconnectMaxDelayMs: 500, ...patient, ...(given as object) };
  return PulsarBus.open(pulsarDriverOptions.parse(quick), status, topics);
}
