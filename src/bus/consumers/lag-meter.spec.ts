import { beforeEach, describe, expect, it } from '@jest/globals';
import { Gauge, Registry } from 'prom-client';
import { BrokerUnavailableError } from '../bus.errors.js';
import type { PartitionLag } from '../bus.port.js';
import type { ConsumerRegistry } from './consumer-registry.js';
import { type LagGauge, LagMeter } from './lag-meter.js';

describe('LagMeter', () => {
  let gauge: LagGauge;
  let meter: LagMeter;
  let measured: () => Promise<readonly PartitionLag[]>;
  const shown = async () =>
    (await gauge.get()).values.map(({ labels, value }) => `${labels.group} ${labels.partition}: ${value}`);

  beforeEach(() => {
    gauge = new Gauge({
      name: 'lag',
      help: 'lag',
      labelNames: ['group', 'driver', 'topic', 'partition'],
      registers: [new Registry()],
    });
    const nobody = { running: () => [].values() } as Pick<ConsumerRegistry, 'running'>;
    meter = new LagMeter(nobody, gauge, 0);
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
});
