import { randomUUID } from 'node:crypto';
import { describe } from '@jest/globals';
import type { BusDriver, BusOptionsInput } from '../../../src/bus/index.js';
import { describeWith, sharedBroker } from '../../support/brokers.js';

/** A driver over which the suites about events and consumers run. */
export interface DriverUnderTest {
  readonly driver: BusDriver;
  /** Resolves with options for a bus on the shared broker, with short retry pauses and its own stores. */
  readonly options: () => Promise<BusOptionsInput>;
}

const quick = { retryInitialDelayMs: 20 };
/** Long timeouts, because the machine may be busy. */
const patient = { connectTimeoutMs: 20_000, sendTimeoutMs: 20_000 };
const embedded = { sqlite: { directory: ':memory:' } };

const drivers: readonly DriverUnderTest[] = [
  {
    driver: 'memory',
    options: async () => ({ defaultDriver: 'memory', drivers: { ...embedded, memory: quick } }),
  },
  {
    driver: 'kafka',
    options: async () => {
      const { url } = await sharedBroker('kafka');
      const kafka = { brokers: url.split(','), partitions: 4, ...patient, ...quick };
      return { defaultDriver: 'kafka', drivers: { ...embedded, kafka } };
    },
  },
  {
    driver: 'redis',
    options: async () => {
      const { url } = await sharedBroker('redis');
      const limits = { connectTimeoutMs: 20_000, commandTimeoutMs: 20_000 };
      const redis = { url, keyPrefix: `test-${randomUUID()}`, ...limits, streams: quick };
      // The stores are in Redis too, as for replicas.
      return {
        defaultDriver: 'redis',
        drivers: { redis },
        retries: { store: 'redis' },
        idempotency: { store: 'redis' },
      };
    },
  },
  {
    driver: 'pulsar',
    options: async () => {
      const { webUrl = '' } = await sharedBroker('pulsar');
      const pulsar = { serviceUrl: webUrl, reconnectMaxDelayMs: 500, ...patient, ...quick };
      return { defaultDriver: 'pulsar', drivers: { ...embedded, pulsar } };
    },
  },
];

/** Runs the suite over every driver: always over memory, over the others if their brokers are available. */
export function describeOnEveryDriver(title: string, suite: (subject: DriverUnderTest) => void): void {
  for (const subject of drivers) {
    const named = `${title} over ${subject.driver}`;
    if (subject.driver === 'memory') describe(named, () => suite(subject));
    else describeWith(subject.driver, named, () => suite(subject));
  }
}
