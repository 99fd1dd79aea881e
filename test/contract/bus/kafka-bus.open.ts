import { KafkaBus } from '../../../src/bus/adapters/kafka/kafka.bus.js';
import { kafkaDriverOptions } from '../../../src/bus/adapters/kafka/kafka.options.js';
import { BrokerStatus } from '../../../src/metrics/index.js';

/** As the options are by default, where the others wait for a machine that is busy. */
export const hasty = { connectTimeoutMs: undefined, sendTimeoutMs: undefined };

/** A rejected batch comes again soon; a call waits for a machine that is busy. */
export function open(given: unknown, status = new BrokerStatus('kafka (instant lane)')): Promise<KafkaBus> {
  const patient = { connectTimeoutMs: 20_000, sendTimeoutMs: 20_000 };
  const quick = { partitions: 4, retryInitialDelayMs: 20, ...patient, ...(given as object) };
  return KafkaBus.open(kafkaDriverOptions.parse(quick), status);
}
