import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { ConsoleLogger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { register } from 'prom-client';
import { BusModule, type BusOptionsInput, ConsumerRegistry, Events } from '../../../src/bus/index.js';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';
import { timeTaken } from '../../support/time-taken.js';

// Counts the connections at a Redis server. `pool-tuning.spec.ts` tests how the settings reach the options of each driver.
describeWithOwn('redis', 'Pools', () => {
  let redis: RunningBroker;
  let operator: Redis;
  let application: TestingModule;
  beforeAll(async () => {
    redis = await startRedis();
    operator = new Redis(redis.url);
  });
  afterAll(async () => {
    operator.disconnect();
    await redis.dispose();
  });
  beforeEach(() => register.clear());
  afterEach(() => application.close());

  const start = async (options: BusOptionsInput) => {
    application = await Test.createTestingModule({
      imports: [
        BusModule.forRoot({
          defaultDriver: 'redis',
          drivers: { redis: { url: redis.url, keyPrefix: randomUUID() }, sqlite: { directory: ':memory:' } },
          ...options,
        }),
      ],
    })
      .setLogger(new ConsoleLogger({ logLevels: [] }))
      .compile();
    await application.init();
  };
  const connections = async () =>
    String(await operator.client('LIST'))
      .split('\n')
      .filter((line) => line.includes('name=carillon')).length;
  const untilThereAre = async (count: number) => {
    while ((await connections()) !== count) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const emit = (topic: string) => application.get(Events).emit(topic, { event: 'e', payload: 1 });

  it('of producers open the smallest number of connections, grow to the largest, and shrink when they are idle', async () => {
    await start({ producers: { redis: { minConnections: 2, maxConnections: 3, maxIdleMs: 4_000 } } });
    expect(await connections()).toBe(2);
    await emit('a');
    expect(await connections()).toBe(2);
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(emit));
    expect(await connections()).toBe(3);
    await untilThereAre(2);
    await emit('c');
  });

  it('of producers use their own time-out for a response', async () => {
    const url = { url: redis.url, keyPrefix: randomUUID() };
    const drivers = { redis: { ...url, commandTimeoutMs: 60_000 }, sqlite: { directory: ':memory:' } };
    await start({ drivers, producers: { redis: { waitTimeoutMs: 2_000 } } });
    await emit('a');
    redis.freeze();
    try {
      const publish = () => expect(emit('a')).rejects.toMatchObject({ code: 'broker_unavailable' });
      // The time-out of the driver is a minute.
      expect(await timeTaken(publish)).toBeLessThan(10_000);
    } finally {
      redis.thaw();
    }
  });

  it('of consumers exist for each module that has one, with its own heartbeat', async () => {
    await start({
      modules: { slow: { pools: { redis: { heartbeatMs: 5_000 } } } },
    });
    const registry = application.get(ConsumerRegistry);
    const add = (module: string, consumer: string) =>
      registry.add({ module, consumer, topics: ['t'] }, { takes: 'one', handle: () => {} });
    await add('usual', 'a');
    const before = await connections();
    await add('slow', 'a');
    // One connection for commands, and one that waits for records.
    await untilThereAre(before + 2);
    await add('slow', 'b');
    await add('usual', 'b');
    expect(await connections()).toBe(before + 2);

    const leaseMs = async (group: string) => {
      const [key] = await operator.keys(`*{t:0}:lease:${group}`);
      const [seconds, microseconds] = await operator.time();
      return (
        Number(await operator.hget(key!, 'until')) - Number(seconds) * 1_000 - Number(microseconds) / 1_000
      );
    };
    expect(await leaseMs('usual-a')).toBeLessThanOrEqual(10_000);
    expect(await leaseMs('slow-a')).toBeGreaterThan(10_000);
  });
});
