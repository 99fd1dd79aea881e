import { KafkaBus } from '../../../src/bus/adapters/kafka/kafka.bus.js';
import { kafkaDriverOptions } from '../../../src/bus/adapters/kafka/kafka.options.js';
import { BrokerStatus } from '../../../src/metrics/index.js';

/** Restores the default timeouts, where `open` uses longer ones for a busy machine. */
export const defaultTimeouts = { connectTimeoutMs: undefined, sendTimeoutMs: undefined };

/** Retries a rejected batch soon, and uses long timeouts for a busy machine. */
export function open(given: unknown, status = new BrokerStatus('kafka (instant lane)')): Promise<KafkaBus> {
  const patient = { connectTimeoutMs: 20_000, sendTimeoutMs: 20_000 };
  const quick = { partitions: 4, retryInitialDelayMs: 20, ...patient, ...(given as object) };
  return KafkaBus.open(kafkaDriverOptions.parse(quick), status);
}
