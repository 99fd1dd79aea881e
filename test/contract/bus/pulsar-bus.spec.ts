import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { RecordRefusedError } from '../../../src/bus/index.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { startPulsar, type RunningPulsar } from '../../support/brokers.js';
import { type BusSubject, describeBus } from './bus.contract.js';
import { startHoldingProcess } from './holding-process.js';
import { defaultTimeouts, open } from './pulsar-bus.open.js';
import { describeOverEachTransport } from './pulsar-transports.js';

describeOverEachTransport('pulsar', 'PulsarBus', (urlOf) => {
  let pulsar: RunningPulsar;
  const settings = () => ({ serviceUrl: urlOf(pulsar) });
  beforeAll(async () => {
    pulsar = await startPulsar();
  });
  afterAll(() => pulsar.dispose());

  describeBus('PulsarBus', async (): Promise<BusSubject> => {
    const bus = await open(settings());
    return {
      bus,
      name: () => randomUUID(),
      another: () => open(settings()),
      holdElsewhere: (subscription) =>
        startHoldingProcess({ module: './pulsar-bus.open.ts', options: settings() }, subscription),
      broker: {
        withDefaultTimeouts: () => open({ ...settings(), ...defaultTimeouts }),
        stop: () => pulsar.stop(),
        start: () => pulsar.restart(),
        freeze: () => pulsar.freeze(),
        thaw: () => pulsar.thaw(),
      },
    };
  });

  it('refuses only the records that are too large', async () => {
    const bus = await open(settings());
    const topic = randomUUID();
    const outcomes = await Promise.allSettled(
      [100, 6_000_000, 100].map((length) => bus.publish(topic, [{ value: Buffer.alloc(length) }])),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'record_refused' } });
    await expect(bus.publish('kafka://a/b/c', [])).rejects.toBeInstanceOf(RecordRefusedError);
    await bus.close();
  });

  it('accepts full topic names', async () => {
    const bus = await open(settings());
    const name = randomUUID();
    const arrived = Promise.withResolvers<string>();
    await bus.subscribe({ topics: [name], group: 'g' }, async ([record]) => arrived.resolve(record!.topic));
    await bus.publish(`persistent://public/default/${name}`, [{ value: Buffer.from('x') }]);
    expect(await arrived.promise).toBe(name);
    await bus.close();
  });

  it('reports the state of the broker', async () => {
    const changes: string[] = [];
    const reported = {
      up: Promise.withResolvers<string | undefined>(),
      down: Promise.withResolvers<string | undefined>(),
    };
    const status = new BrokerStatus('pulsar', ({ state, reason }) => {
      changes.push(state);
      if (state !== 'connecting') reported[state].resolve(reason);
    });
    const bus = await open(settings(), status, [randomUUID()]);
    await reported.up.promise;
    reported.up = Promise.withResolvers();
    await pulsar.stop();
    // Nothing is published: the bus notices the loss by itself.
    expect(await reported.down.promise).toBeTruthy();
    await pulsar.restart();
    await reported.up.promise;
    expect(changes).toEqual(['up', 'down', 'up']);
    await bus.close();
  });

  it('delivers every record of a partitioned topic', async () => {
    const topic = randomUUID();
    const created = await fetch(`${pulsar.webUrl}/admin/v2/persistent/public/default/${topic}/partitions`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '3',
    });
    expect(created.ok).toBe(true);
    const bus = await open(settings());
    const partitions = new Set<number>();
    const bodies = new Set<string>();
    const done = Promise.withResolvers<void>();
    await bus.subscribe({ topics: [topic], group: 'g', maxBatchSize: 5 }, async (records) => {
      for (const { partition, value } of records) {
        partitions.add(partition);
        bodies.add(value.toString());
      }
      if (bodies.size === 60) done.resolve();
    });
    const records = Array.from({ length: 60 }, (_, index) => ({
      key: `key-${index}`,
      value: Buffer.from(String(index)),
    }));
    await bus.publish(topic, records);
    await done.promise;
    expect(partitions).toEqual(new Set([0, 1, 2]));
    await bus.close();
  });
});
