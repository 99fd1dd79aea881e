import { beforeEach, describe, expect, it } from '@jest/globals';
import { Gauge, Registry } from 'prom-client';
import { BrokerUnavailableError } from '../bus.errors.js';
import type { PartitionLag } from '../bus.port.js';
import type { ConsumerRegistry } from './consumer-registry.js';
import { type LagGauges, LagMeter } from './lag-meter.js';

describe('LagMeter', () => {
  let gauges: LagGauges;
  let meter: LagMeter;
  let measured: () => Promise<readonly PartitionLag[]>;
  const shown = async () =>
    (await gauges.lag.get()).values.map(
      ({ labels, value }) => `${labels.group} ${labels.partition}: ${value}`,
    );
  const unread = async () =>
    (await gauges.unread.get()).values.map(
      ({ labels, value }) => `${labels.group} ${labels.topic}: ${value}`,
    );

  beforeEach(() => {
    const registers = [new Registry()];
    gauges = {
      lag: new Gauge({
        name: 'lag',
        help: 'lag',
        labelNames: ['group', 'driver', 'topic', 'partition'],
        registers,
      }),
      unread: new Gauge({
        name: 'unread',
        help: 'unread',
        labelNames: ['group', 'driver', 'topic'],
        registers,
      }),
    };
    const nobody = { running: () => [].values() } as Pick<ConsumerRegistry, 'running'>;
    meter = new LagMeter(nobody, gauges, 0);
    meter.watch({ group: 'lane', driver: 'memory', lag: () => measured() });
  });

  it('shows the last measurement, and no values that could not be measured again', async () => {
    measured = async () => [
      { topic: 't', partition: 0, records: 3 },
      { topic: 't', partition: 1, records: 0 },
    ];
    await meter.measure();
    expect(await shown()).toEqual(['lane 0: 3', 'lane 1: 0']);
    measured = async () => [{ topic: 't', partition: 1, records: 4 }];
    await meter.measure();
    expect(await shown()).toEqual(['lane 1: 4']);
    measured = () => Promise.reject(new BrokerUnavailableError('memory', 'away'));
    await meter.measure();
    expect(await shown()).toEqual([]);
  });

  it('counts the partitions that nobody reads, of topics whose readers are known', async () => {
    const lag = { records: 0, hasReader: true };
    measured = async () => [
      { ...lag, topic: 'one', partition: 0, hasReader: false },
      { ...lag, topic: 'one', partition: 1 },
      { ...lag, topic: 'one', partition: 2, hasReader: false },
      { ...lag, topic: 'two', partition: 0 },
      { records: 0, topic: 'three', partition: 0 },
    ];
    await meter.measure();
    await meter.measure();
    expect(await unread()).toEqual(['lane one: 2', 'lane two: 0']);
  });
});
