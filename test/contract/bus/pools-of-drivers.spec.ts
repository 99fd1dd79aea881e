import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ConsoleLogger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { register } from 'prom-client';
import { BusModule, type BusOptionsInput, ConsumerRegistry, Events } from '../../../src/bus/index.js';
import { MetricsModule, Readiness } from '../../../src/metrics/index.js';
import { describeWithOwn, startRedis } from '../../support/brokers.js';
import { EventLog } from '../../support/event-log.js';
import { describeOnEveryDriver } from './bus-drivers.js';

let application: TestingModule;

beforeEach(() => register.clear());
afterEach(() => application.close());

async function start(options: BusOptionsInput | Readonly<Record<string, unknown>>): Promise<void> {
  application = await Test.createTestingModule({
    imports: [MetricsModule.forRoot({ path: '/metrics', processMetrics: false }), BusModule.forRoot(options)],
  })
    .setLogger(new ConsoleLogger({ logLevels: [] }))
    .compile();
  await application.init();
}

/** Every connection of a pool has a status, as long as it is open. */
const connections = () => Object.keys(application.get(Readiness).report().brokers);
const until = async (done: () => boolean) => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 10));
};
const emit = (topic: string, payload: unknown = 1, options = {}) =>
  application.get(Events).emit(topic, { event: 'e', payload, key: String(payload) }, options);

describeOnEveryDriver('Pools', ({ driver, options }) => {
  // Memory has no connections.
  if (driver === 'memory')
    return it('of memory are refused', async () => {
      const compiling = start({ modules: { m: { pools: { memory: {} } } } });
      await expect(compiling).rejects.toThrow(/memory/);
      await start({});
    });

  it('of producers open their smallest number at the start, grow, and close what is idle', async () => {
    const producers = {
      [driver]: { minConnections: 2, maxConnections: 3, maxIdleMs: 1_000, heartbeatMs: 500 },
    };
    await start({ ...(await options()), producers });
    const ofProducers = () => connections().filter((name) => name.includes('(producer '));
    expect(ofProducers()).toEqual([`${driver} (producer 1)`, `${driver} (producer 2)`]);
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => emit(`${name}-${randomUUID()}`)));
    expect(ofProducers()).toHaveLength(3);
    await until(() => ofProducers().length === 2);
    await emit(`e-${randomUUID()}`);
  });

  it('of a module have their own connections and settings, under the names of the original too', async () => {
    const [module, topic] = [`m-${randomUUID()}`, `t-${randomUUID()}`];
    await start({
      ...(await options()),
      modules: {
        [module]: {
          consume_num: 50,
          drivers: {
            [driver]: {
              min_connections: 2,
              max_connections: 2,
              consume_num: 3,
              consumer_interval: 0.05,
              heartbeat: 3,
            },
          },
          consumers: { one: { nums: 2 } },
        },
      },
    });
    const registry = application.get(ConsumerRegistry);
    const sizes = new EventLog<number>();
    const handled = new EventLog<unknown>();
    for (const consumer of ['one', 'two', 'three'])
      await registry.add(
        { module, consumer, topics: [topic] },
        {
          takes: 'batch',
          handle: (name, events) => {
            sizes.add(events.length);
            if (name === 'one') for (const { payload } of events) handled.add(payload);
          },
        },
      );
    const ofModule = connections().filter((name) => name.includes(`module ${module}`));
    expect(ofModule).toEqual([`${driver} (module ${module})`, `${driver} (module ${module}, 2)`]);
    const { settings } = registry.list()[0]!.consumer;
    expect(settings).toMatchObject({ batchSize: 3, takeEveryMs: 50, concurrency: 2 });
    await application.get(Events).emit(
      topic,
      Array.from({ length: 10 }, (_, payload) => ({ event: 'e', payload, key: 'k' })),
    );
    await handled.atLeast(10);
    expect(new Set(handled.entries).size).toBe(10);
    expect(Math.max(...sizes.entries)).toBeLessThanOrEqual(3);
  });
});

describeWithOwn('redis', 'Named Redis pools', () => {
  it('carry the events of their modules, with the dead letters, apart from the first Redis', async () => {
    await using one = await startRedis();
    await using other = await startRedis();
    const [first, second] = [new Redis(one.url), new Redis(other.url)];
    await start({
      defaultDriver: 'redis',
      drivers: { redis: { url: one.url, keyPrefix: 'a' }, sqlite: { directory: ':memory:' } },
      redisPools: { other: { url: other.url, keyPrefix: 'b' } },
      consumers: { maxAttempts: 1 },
      modules: { m: { pools: { redis: { pool: 'other' } } } },
    });
    const handled = new EventLog<unknown>();
    const registry = application.get(ConsumerRegistry);
    for (const module of ['m', 'n'])
      await registry.add(
        { module, consumer: 'c', topics: ['t'] },
        {
          takes: 'one',
          handle: (_consumer, _event, payload) => {
            handled.add(`${module} ${String(payload)}`);
            if (payload === 'bad') throw new Error('no');
          },
        },
      );
    await emit('t', 'plain');
    await emit('t', 'bad', { pool: 'other', idempotencyKey: 'k' });
    expect((await emit('t', 'bad', { pool: 'other', idempotencyKey: 'k' })).replayed).toBe(true);
    await handled.atLeast(2);
    expect(handled.entries.map(String).toSorted()).toEqual(['m bad', 'n plain']);
    while ((await second.keys('b:*t.m-c.dlq*')).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await first.keys('*t.m-c*')).toEqual([]);
    await expect(emit('t', 1, { pool: 'absent' })).rejects.toMatchObject({ code: 'adapter_unusable' });
    await expect(emit('t', 1, { driver: 'memory', pool: 'other' })).rejects.toThrow(
      /only redis has named pools/,
    );
    await application.close();
    first.disconnect();
    second.disconnect();
  });
});
