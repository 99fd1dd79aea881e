import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MemoryBus } from '../../../src/bus/adapters/memory/memory.bus.js';
import { memoryBusOptions } from '../../../src/bus/adapters/memory/memory.options.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { describeBus } from './bus.contract.js';

const status = () => new BrokerStatus('memory (instant lane)');

describeBus('MemoryBus', async () => ({
  bus: new MemoryBus(memoryBusOptions.parse({ retryInitialDelayMs: 10 }), status()),
  name: () => randomUUID(),
}));

describe('MemoryBus', () => {
  const record = { key: 'k', value: Buffer.from('x') };

  it('refuses records beyond maxPendingRecords, until a consumer has acknowledged some', async () => {
    const bus = new MemoryBus(memoryBusOptions.parse({ maxPendingRecords: 2 }), status());
    const handled = Promise.withResolvers<void>();
    const subscription = await bus.subscribe({ topics: ['t'], group: 'slow', maxBatchSize: 2 }, async () => {
      handled.resolve();
    });
    subscription.pause();
    await bus.publish('t', [record, record]);
    await bus.publish('elsewhere', [record]);
    await expect(bus.publish('t', [record])).rejects.toMatchObject({
      code: 'broker_unavailable',
      message: expect.stringContaining('group slow has 2 unacknowledged records'),
    });
    subscription.resume();
    await handled.promise;
    await new Promise((resolve) => setImmediate(resolve));
    await bus.publish('t', [record]);
    await bus.close();
  });

  it('lets consumers empty the queues before it closes', async () => {
    const bus = new MemoryBus(memoryBusOptions.parse({}), status());
    let handled = 0;
    await bus.subscribe({ topics: ['t'], group: 'g' }, async () => void handled++);
    await bus.publish(
      't',
      Array.from({ length: 20 }, () => record),
    );
    await bus.close();
    expect(handled).toBe(20);
  });

  it('closes in time although a handler never ends', async () => {
    const bus = new MemoryBus(memoryBusOptions.parse({ drainTimeoutMs: 20 }), status());
    await bus.subscribe({ topics: ['t'], group: 'stuck' }, () => Promise.withResolvers<void>().promise);
    await bus.publish('t', [record]);
    await expect(bus.close()).resolves.toBeUndefined();
  });

  it('copies the bytes of a record, because the publisher may change them', async () => {
    const bus = new MemoryBus(memoryBusOptions.parse({ partitions: 1 }), status());
    const frame = Buffer.from('a record in a frame that is large');
    await bus.publish('t', [{ value: frame.subarray(0, 8) }]);
    frame.fill(0);
    const kept = Promise.withResolvers<Buffer>();
    await bus.subscribe({ topics: ['t'], group: 'late', from: 'earliest' }, async ([received]) =>
      kept.resolve(received!.value),
    );
    expect((await kept.promise).toString()).toBe('a record');
    await bus.close();
  });

  it('keeps a bounded number of acknowledged records for later groups', async () => {
    const bus = new MemoryBus(memoryBusOptions.parse({ partitions: 1, retainedRecords: 300 }), status());
    for (let index = 0; index < 5_000; index++) await bus.publish('t', [record]);
    const received: number[] = [];
    const last = Promise.withResolvers<void>();
    await bus.subscribe(
      { topics: ['t'], group: 'late', from: 'earliest', maxBatchSize: 100 },
      async (records) => {
        for (const { position } of records) received.push(Number(position));
        if (received.at(-1) === 4_999) last.resolve();
      },
    );
    await last.promise;
    expect(received.length).toBeGreaterThanOrEqual(300);
    expect(received.length).toBeLessThan(1_000);
    expect(received).toEqual(received.map((_, index) => 5_000 - received.length + index));
    await bus.close();
  });
});
