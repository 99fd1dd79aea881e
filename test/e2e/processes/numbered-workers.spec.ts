import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';
import { ExampleWorker } from '../../support/example-worker.js';
import { Server } from '../../support/server.js';

describeWithOwn('redis', 'servers with a fixed share of the partitions', () => {
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.dispose());

  const start = (env: Record<string, string>): Promise<Server> =>
    Server.start({
      env: {
        REDIS_URL: redis.url,
        CARILLON_BUS_INSTANT_DRIVER: 'redis',
        CARILLON_BUS_DRIVERS_REDIS_STREAMS_LEASE_MS: '1000',
        CARILLON_BUS_DRIVERS_REDIS_STREAMS_HEARTBEAT_INTERVAL_MS: '200',
        CARILLON_BUS_LAG_INTERVAL_MS: '100',
        ...env,
      },
    });

  /** Resolves with the number of partitions that nobody reads as soon as the server reports this one. */
  const unread = async (server: Server, expected: number): Promise<number> => {
    for (;;) {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      const [, value] = /^messagebus_partitions_unread\{.*driver="redis".*\} (\d+)$/m.exec(text) ?? [];
      if (Number(value) === expected) return expected;
      await delay(50);
    }
  };

  it('report the partitions of a worker that is missing, until it is back', async () => {
    const [first, second] = [0, 1].map((id) => ({ WORKER_ID: String(id), TOTAL_WORKERS: '2' }));
    await using server = await start(first!);
    // The other worker was never started.
    expect(await unread(server, 4)).toBe(4);
    {
      await using other = await start(second!);
      expect(await unread(server, 0)).toBe(0);
      await other.kill();
      expect(await unread(server, 4)).toBe(4);
    }
    await using replacement = await start(second!);
    expect(await unread(server, 0)).toBe(0);
    expect(await unread(replacement, 0)).toBe(0);
  });

  it.each([
    [{ WORKER_ID: '0' }, 'bus.worker.total'],
    [{ TOTAL_WORKERS: '2' }, 'bus.worker.id'],
  ])('do not start with %j alone', async (env, missing) => {
    await using server = await Server.spawn({ env: { REDIS_URL: redis.url, ...env } });
    expect(await server.exited()).toBe(1);
    expect(server.output).toContain(missing);
    expect(server.output).toMatch(/is missing: .*WORKER_ID.*TOTAL_WORKERS.* Set both, or neither/);
  });

  it.each([{ WORKER_ID: '0' }, { TOTAL_WORKERS: '2' }])(
    'examples/worker.ts does not start with %j alone',
    async (env) => {
      await expect(ExampleWorker.start({ REDIS_URL: redis.url, ...env })).rejects.toThrow(
        /is missing: .*WORKER_ID.*TOTAL_WORKERS.* Set both, or neither/,
      );
    },
  );
});
