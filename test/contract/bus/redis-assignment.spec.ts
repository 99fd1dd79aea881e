import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bus } from '../../../src/bus/index.js';
import type { OutgoingRecord } from '../../../src/message/index.js';
import { ReadAckBatcher } from '../../../src/bus/adapters/redis/streams/read-ack-batcher.js';
import { acknowledgeDeleted } from '../../../src/bus/adapters/redis/streams/stream-scripts.js';
import { PartitionLease } from '../../../src/bus/adapters/redis/streams/partition-lease.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { closeRedis, openRedis, type RedisClient, redisDriverOptions } from '../../../src/redis/index.js';
import {
  describeWithOwn,
  type RunningBroker,
  type RunningRedisCluster,
  startRedis,
  startRedisCluster,
} from '../../support/brokers.js';
import { open, type RedisBusSettings } from './redis-bus.open.js';
import { type HandlerCall, WorkerProcess } from './worker-process.js';

const KEYS = 200;

describeWithOwn('redis', 'Partition assignment of Redis Streams', () => {
  let redis: RunningBroker;
  let directory: string;
  beforeAll(async () => {
    redis = await startRedis({ appendOnly: true, args: ['--appendfsync', 'everysec'] });
    directory = mkdtempSync(join(tmpdir(), 'carillon-workers-'));
  });
  afterAll(async () => {
    await redis.dispose();
    rmSync(directory, { recursive: true });
  });
  const settings = (more: Partial<RedisBusSettings> = {}): RedisBusSettings => ({
    driver: { url: redis.url, keyPrefix: randomUUID() },
    ...more,
  });

  it('gives each partition one owner at a time while workers join, leave and die, and keeps the order per key', async () => {
    const calls = await runWorkers({ settings: settings(), directory, records: 50_000 });
    expect(summaryOf(calls)).toEqual(expectedSummary(50_000));
  });

  describe('for numbered workers', () => {
    it('gives partition p to the worker p modulo the number of workers', async () => {
      const common = settings();
      const topic = randomUUID();
      const seen = await Promise.all(
        [0, 1, 2].map(async (id) => {
          const bus = await open({ ...common, worker: { id, total: 3 } });
          return { bus, partitions: await collect(bus, topic, 'g') };
        }),
      );
      await fill(seen[0]!.bus, topic);
      await Promise.all(seen.map(({ partitions }, id) => partitions.until(id === 2 ? 2 : 3)));
      expect(seen.map(({ partitions }) => partitions.sorted())).toEqual([
        [0, 3, 6],
        [1, 4, 7],
        [2, 5],
      ]);
      await Promise.all(seen.map(({ bus }) => bus.close()));
    });

    it('does not share partitions between two workers with the same number', async () => {
      const common = settings({
        worker: { id: 0, total: 1 },
        streams: { heartbeatIntervalMs: 50, leaseMs: 10_000 },
      });
      const [first, second] = await Promise.all([open(common), open(common)]);
      const topic = randomUUID();
      const partitions = await collect(first, topic, 'g');
      const none = await collect(second, topic, 'g');
      await fill(first, topic);
      await partitions.until(8);
      expect(none.sorted()).toEqual([]);
      await first.close();
      await fill(second, topic);
      await none.until(8);
      await second.close();
    });
  });

  it('waits for the handler of the member that releases a partition, even if the subscription is paused', async () => {
    const common = settings({ streams: { partitions: 2, leaseMs: 60_000 } });
    const [first, second] = await Promise.all([open(common), open(common)]);
    const topic = randomUUID();
    const [entered, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const order: string[] = [];
    const options = { topics: [topic], group: 'g', concurrency: 2, from: 'earliest' } as const;
    let inside = 0;
    const subscription = await first.subscribe(options, async ([record]) => {
      if (++inside === 2) entered.resolve();
      await release.promise;
      order.push(`first ${record?.partition}`);
    });
    // Two in each partition.
    await first.publish(
      topic,
      Array.from({ length: 4 }, () => ({ value: Buffer.from('x') })),
    );
    await entered.promise;
    subscription.pause();
    const all = Promise.withResolvers<void>();
    const joining = second.subscribe(options, async ([record]) => {
      order.push(`second ${record?.partition}`);
      all.resolve();
    });
    const early = await Promise.race([all.promise, waitHeartbeats(first, topic, 5)]);
    expect(early).toBe('unchanged');
    release.resolve();
    await joining;
    await all.promise;
    const moved = order.find((each) => each.startsWith('second'))?.split(' ')[1];
    expect(order.indexOf(`first ${moved}`)).toBeLessThan(order.indexOf(`second ${moved}`));
    await Promise.all([first.close(), second.close()]);
  });

  it('reports a rebalance to the subscription', async () => {
    const common = settings();
    const [first, second] = await Promise.all([open(common), open(common)]);
    let [rebalances, rebalanced] = [0, Promise.withResolvers<void>()];
    const options = { topics: [randomUUID()], group: 'g' };
    await first.subscribe(
      { ...options, onRebalance: () => (rebalances++, rebalanced.resolve()) },
      async () => {},
    );
    expect(rebalances).toBe(0);
    await second.subscribe(options, async () => {});
    await rebalanced.promise;
    rebalanced = Promise.withResolvers();
    await second.close();
    await rebalanced.promise;
    await first.close();
  });

  describe('against a former owner', () => {
    let client: RedisClient;
    beforeAll(async () => {
      client = await openRedis(redisDriverOptions.parse({ url: redis.url }), new BrokerStatus('redis'));
    });
    afterAll(() => closeRedis(client));

    it('lets it neither read nor acknowledge', async () => {
      const partition = { topic: 't', number: 0, stream: randomUUID() };
      const batcher = new ReadAckBatcher(client, true);
      const holder = (member: string) => ({ client, batcher, group: 'g', member, leaseMs: 3_000 });
      const key = `{${partition.stream}}:lease`;
      const take = (member: string) => PartitionLease.take(partition, key, holder(member));
      const former = await take('former');
      await client.xadd(partition.stream, '*', 'value', '1');
      const [entry] = (await former?.read(1, [])) ?? [];
      expect(entry).toBeDefined();
      expect(await take('next')).toBeUndefined();
      let next: PartitionLease | undefined;
      while (next === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        next = await take('next');
      }
      expect(former?.isValid).toBe(false);

      await client.xadd(partition.stream, '*', 'value', '2');
      expect(await former?.read(10, [String(entry?.[0])])).toEqual([]);
      expect(await former?.claim('0-0', 10)).toEqual({ next: '0-0', entries: [] });
      await former?.extend();
      await former?.release();
      expect(former?.isValid).toBe(false);
      const pending = await next.claim('0-0', 10);
      expect(pending.entries.map(([id]) => String(id))).toEqual([String(entry?.[0])]);
      expect(await next.read(10, [])).toHaveLength(1);
      expect(await take('third')).toBeUndefined();

      // A late command of the present owner under its former token has no effect either.
      const token = String(await client.hget(key, 'token'));
      await next.retake();
      const late = {
        lease: key,
        stream: partition.stream,
        token,
        group: 'g',
        member: 'next',
        count: 1,
        ids: [],
      };
      expect(await batcher.run(late)).toBeNull();
      expect(next.isValid).toBe(true);
    });

    /** A stream of three records, all delivered to a member that died, the first one deleted since. */
    const withDeletedEntry = async () => {
      const stream = randomUUID();
      await client.xgroup('CREATE', stream, 'g', '0', 'MKSTREAM');
      const ids: string[] = [];
      for (const value of ['1', '2', '3']) {
        ids.push((await client.xadd(stream, '*', 'value', value)) ?? '');
      }
      await client.xreadgroup('GROUP', 'g', 'dead', 'COUNT', 3, 'STREAMS', stream, '>');
      await client.xdel(stream, ids[0] ?? '');
      return { stream, ids };
    };

    it('acknowledges entries that were deleted, so that the stream can be trimmed', async () => {
      const { stream, ids } = await withDeletedEntry();
      const partition = { topic: 't', number: 0, stream };
      const holder = {
        client,
        batcher: new ReadAckBatcher(client, true),
        group: 'g',
        member: 'm',
        leaseMs: 3_000,
      };
      const lease = await PartitionLease.take(partition, `{${stream}}:lease`, holder);
      const claimed = await lease?.claim('0-0', 10);
      expect(claimed?.entries.map(([id]) => String(id))).toEqual(ids.slice(1));
      expect(await client.xpending(stream, 'g')).toEqual([2, ids[1], ids[2], expect.anything()]);
    });

    // Redis 6.2 does not remove them in XAUTOCLAIM; there this script does.
    it('acknowledges deleted entries also where XAUTOCLAIM leaves them pending', async () => {
      const { stream, ids } = await withDeletedEntry();
      expect(await client.xpending(stream, 'g')).toEqual([3, ids[0], ids[2], expect.anything()]);
      expect(await acknowledgeDeleted.run(client, [stream], ['g', '0-0', '+', 100])).toBe(1);
      expect(await client.xpending(stream, 'g')).toEqual([2, ids[1], ids[2], expect.anything()]);
    });
  });
});

describeWithOwn('redis', 'Partition assignment of Redis Streams in a Cluster', () => {
  let cluster: RunningRedisCluster;
  let directory: string;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    directory = mkdtempSync(join(tmpdir(), 'carillon-workers-'));
  });
  afterAll(async () => {
    await cluster.dispose();
    rmSync(directory, { recursive: true });
  });

  it('gives each partition one owner at a time while workers join, leave and die', async () => {
    const clusterNodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    const driver = { url: 'redis://cluster', clusterNodes, keyPrefix: randomUUID() };
    const calls = await runWorkers({ settings: { driver }, directory, records: 10_000 });
    expect(summaryOf(calls)).toEqual(expectedSummary(10_000));
  });
});

/**
 * Starts four workers. While they handle the records, one is killed with SIGKILL, one is added and one leaves. Returns what all
 * of them logged.
 */
async function runWorkers({
  settings,
  directory,
  records,
}: {
  settings: RedisBusSettings;
  directory: string;
  records: number;
}): Promise<HandlerCall[]> {
  const topic = randomUUID();
  const limits = { maxBatchSize: 10, concurrency: 8 };
  const subscription = { topics: [topic], group: 'workers', from: 'earliest', ...limits } as const;
  const handled = new Handled();
  const workers: WorkerProcess[] = [];
  const start = async () => {
    // A busy machine may suspend a process for seconds. The others must not take that for its death.
    const options = { ...settings, streams: { leaseMs: 10_000 } };
    const bus = { module: './redis-bus.open.ts', options };
    const task = { bus, subscription, log: join(directory, randomUUID()), workMs: 5 };
    const worker = await WorkerProcess.start(task, (bodies) => handled.add(bodies));
    workers.push(worker);
    return worker;
  };
  const [first, second] = await Promise.all([start(), start(), start(), start()]);
  const bus = await open(settings);
  try {
    // Some records are published later, so that there is work left for the worker that is added.
    const most = records * 0.8;
    const publishing = publishInOrder(bus, topic, 0, most);
    await handled.reaches(records * 0.1);
    const joining = start();
    await first.kill();
    await handled.reaches(records * 0.4);
    await Promise.all([publishing, joining, second.leave()]);
    await publishInOrder(bus, topic, most, records);
    await handled.reaches(records);
  } finally {
    await bus.close();
    await Promise.all(workers.map((worker) => worker.leave()));
  }
  return (await Promise.all(workers.map((worker) => worker.handlerCalls()))).flat();
}

/** Summarizes the handler calls of all workers. */
function summaryOf(calls: readonly HandlerCall[]) {
  const finished = calls.filter((call) => call.finished);
  return {
    overlaps: overlaps(calls),
    outOfOrder: outOfOrder(calls),
    handled: new Set(finished.flatMap(({ bodies }) => bodies)).size,
    workers: new Set(calls.map(({ worker }) => worker)).size,
    partitions: new Set(calls.map(({ partition }) => partition)).size,
  };
}

function expectedSummary(records: number): ReturnType<typeof summaryOf> {
  return { overlaps: [], outOfOrder: [], handled: records, workers: 5, partitions: 8 };
}

/** Bodies that some worker reported as handled. */
class Handled {
  readonly #bodies = new Set<string>();
  #watcher: (() => void) | undefined;

  add(bodies: readonly string[]): void {
    for (const body of bodies) this.#bodies.add(body);
    this.#watcher?.();
  }

  async reaches(count: number): Promise<void> {
    while (this.#bodies.size < count) await new Promise<void>((resolve) => (this.#watcher = resolve));
  }
}

/** Publishes the records with numbers from `from` to `to`. The body contains the sequence number within the key. */
async function publishInOrder(bus: Bus, topic: string, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += KEYS) {
    const batch = Array.from({ length: KEYS }, (_, key): OutgoingRecord => ({
      key: `key-${key}`,
      value: Buffer.from(`key-${key} ${start / KEYS}`),
    }));
    await bus.publish(topic, batch);
  }
}

/** Finds pairs of handler calls for one partition of which the second began before the first had ended. */
function overlaps(calls: readonly HandlerCall[]): string[] {
  return [...Map.groupBy(calls, ({ partition }) => partition)].flatMap(([partition, inside]) =>
    inside
      .toSorted((one, other) => (one.startedAt < other.startedAt ? -1 : 1))
      .flatMap((call, index, sorted) => {
        const before = sorted[index - 1];
        if (before === undefined || call.startedAt >= before.endedAt) return [];
        return [`partition ${partition}: ${before.worker} and ${call.worker} at ${call.startedAt}`];
      }),
  );
}

/** Finds records that were first handled after a later record of their key. */
function outOfOrder(calls: readonly HandlerCall[]): string[] {
  const next = new Map<string, number>();
  const seen = new Set<string>();
  const faults: string[] = [];
  for (const { bodies } of calls.toSorted((one, other) => (one.startedAt < other.startedAt ? -1 : 1))) {
    for (const body of bodies) {
      if (seen.has(body)) continue;
      seen.add(body);
      const [key = '', number] = body.split(' ');
      if (Number(number) !== (next.get(key) ?? 0)) faults.push(body);
      next.set(key, Number(number) + 1);
    }
  }
  return faults;
}

/** Subscribes, and collects the partitions of which this member receives records. */
async function collect(bus: Bus, topic: string, group: string) {
  const partitions = new Set<number>();
  let watcher: (() => void) | undefined;
  await bus.subscribe({ topics: [topic], group, concurrency: 8, from: 'earliest' }, async (records) => {
    for (const { partition } of records) partitions.add(partition);
    watcher?.();
  });
  return {
    sorted: () => [...partitions].toSorted((one, other) => one - other),
    until: async (count: number) => {
      while (partitions.size < count) await new Promise<void>((resolve) => (watcher = resolve));
    },
  };
}

/** Publishes one record to each of eight partitions. */
async function fill(bus: Bus, topic: string): Promise<void> {
  await bus.publish(
    topic,
    Array.from({ length: 8 }, () => ({ value: Buffer.from('x') })),
  );
}

/** Waits for several heartbeats, with a request to Redis after each. */
async function waitHeartbeats(bus: Bus, topic: string, times: number): Promise<string> {
  for (let time = 0; time < times; time++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await bus.lag?.('g', [topic]);
  }
  return 'unchanged';
}
