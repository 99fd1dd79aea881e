import { setTimeout as delay } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { closeRedis, openRedis, type RedisClient, redisDriverOptions } from '../../../src/redis/index.js';
import { ExampleWorker } from '../../support/example-worker.js';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';

describeWithOwn('redis', 'examples/worker.ts', () => {
  let redis: RunningBroker;
  let program: RedisClient;
  beforeAll(async () => {
    redis = await startRedis();
    program = await openRedis(redisDriverOptions.parse({ url: redis.url }), new BrokerStatus('program'));
  });
  afterAll(async () => {
    await closeRedis(program);
    await redis.dispose();
  });

  /** Appends records as another program does, which only needs to know how Carillon chooses the stream. */
  const append = async (body: string): Promise<string[]> => {
    const keys = Array.from({ length: 40 }, (_, index) => `room-${index}`);
    return Promise.all(
      keys.map(async (key) => {
        const partition = crc32(key) % 8;
        await program.xadd(`partition:${partition}`, '*', 'key', key, 'value', body);
        return `${partition} ${key} ${body}`;
      }),
    );
  };

  /** Waits until both workers have partitions. Before that, the first worker has all of them. */
  const whenShared = async (
    first: ExampleWorker,
    second: ExampleWorker,
  ): Promise<[Set<string>, Set<string>]> => {
    for (let round = 0; ; round++, await delay(200)) {
      const body = `round-${round}`;
      const appended = await append(body);
      const isHandled = () =>
        appended.every((each) => first.handled.includes(each) || second.handled.includes(each));
      await Promise.race([first.until(isHandled), second.until(isHandled)]);
      const [ofFirst, ofSecond] = [first.partitionsOf(body), second.partitionsOf(body)];
      if (ofFirst.size === 4 && ofSecond.size === 4) return [ofFirst, ofSecond];
    }
  };

  it('shares the streams with a second worker, and takes over when that one is killed', async () => {
    const env = { REDIS_URL: redis.url };
    const [first, second] = await Promise.all([ExampleWorker.start(env), ExampleWorker.start(env)]);
    const [ofFirst, ofSecond] = await whenShared(first, second);
    expect(ofFirst.isDisjointFrom(ofSecond)).toBe(true);
    expect(ofFirst.size + ofSecond.size).toBe(8);

    await second.end('SIGKILL');
    const taken = await append('two');
    await first.until(() => taken.every((each) => first.handled.includes(each)));
    expect(first.partitions.size).toBe(8);
    await first.end('SIGTERM');
    // It has released its leases, so the next worker does not have to wait for them to expire.
    expect(await program.hexists('{partition:0}:lease:workers', 'owner')).toBe(0);
  });

  it('reads the partitions of its WORKER_ID', async () => {
    const numbered = (id: string) =>
      ExampleWorker.start({ REDIS_URL: redis.url, GROUP: 'numbered', WORKER_ID: id, TOTAL_WORKERS: '2' });
    const [first, second] = await Promise.all([numbered('0'), numbered('1')]);
    await Promise.all([first, second].map((worker) => worker.until(() => worker.partitions.size === 4)));
    expect([...first.partitions].toSorted()).toEqual(['0', '2', '4', '6']);
    expect([...second.partitions].toSorted()).toEqual(['1', '3', '5', '7']);
    await Promise.all([first.end('SIGTERM'), second.end('SIGTERM')]);
  });
});
