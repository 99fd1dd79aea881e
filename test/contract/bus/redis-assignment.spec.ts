import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bus } from '../../../src/bus/index.js';
import type { OutgoingRecord } from '../../../src/message/index.js';
import { Exchanges } from '../../../src/bus/adapters/redis/streams/read-ack-batcher.js';
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
import { type Visit, WorkerProcess } from './worker-process.js';

const KEYS = 200;

describeWithOwn('redis', 'Partitions of Redis Streams', () => {
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

  it('are in one hand each while workers join, leave and die, and every record is handled in the order of its key', async () => {
    const visits = await runWorkers({ settings: settings(), directory, records: 50_000 });
    expect(accountOf(visits)).toEqual(soundAccount(50_000));
  });

  describe('of numbered workers', () => {
    it('belong to the worker p modulo the number of workers', async () => {
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

    it('are not shared with one that was given the same number by mistake', async () => {
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

  it('wait for the handler of the member that lets go of them, even if it is paused', async () => {
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
    const early = await Promise.race([all.promise, lookAgain(first, topic, 5)]);
    expect(early).toBe('as before');
    release.resolve();
    await joining;
    await all.promise;
    const mine = order.find((each) => each.startsWith('second'))?.split(' ')[1];
    expect(order.indexOf(`first ${mine}`)).toBeLessThan(order.indexOf(`second ${mine}`));
    await Promise.all([first.close(), second.close()]);
  });

  it('tell a subscription when they are dealt anew', async () => {
    const common = settings();
    const [first, second] = await Promise.all([open(common), open(common)]);
    let [heard, told] = [0, Promise.withResolvers<void>()];
    const options = { topics: [randomUUID()], group: 'g' };
    await first.subscribe({ ...options, onRebalance: () => (heard++, told.resolve()) }, async () => {});
    expect(heard).toBe(0);
    await second.subscribe(options, async () => {});
    await told.promise;
    told = Promise.withResolvers();
    await second.close();
    await told.promise;
    await first.close();
  });

  describe('of a former owner', () => {
    let client: RedisClient;
    beforeAll(async () => {
      client = await openRedis(redisDriverOptions.parse({ url: redis.url }), new BrokerStatus('redis'));
    });
    afterAll(() => closeRedis(client));

    it('are neither read nor acknowledged by it', async () => {
      const partition = { topic: 't', number: 0, stream: randomUUID() };
      const exchanges = new Exchanges(client, true);
      const holder = (member: string) => ({ client, exchanges, group: 'g', member, leaseMs: 3_000 });
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
      await former?.keep();
      await former?.release();
      expect(former?.isValid).toBe(false);
      const inherited = await next.claim('0-0', 10);
      expect(inherited.entries.map(([id]) => String(id))).toEqual([String(entry?.[0])]);
      expect(await next.read(10, [])).toHaveLength(1);
      expect(await take('third')).toBeUndefined();

      // Nor does what the owner itself asked under a token before take effect late.
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
      expect(await exchanges.run(late)).toBeNull();
      expect(next.isValid).toBe(true);
    });
  });
});

describeWithOwn('redis', 'Partitions of Redis Streams in a Cluster', () => {
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

  it('are in one hand each while workers join, leave and die', async () => {
    const clusterNodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    const driver = { url: 'redis://cluster', clusterNodes, keyPrefix: randomUUID() };
    const visits = await runWorkers({ settings: { driver }, directory, records: 10_000 });
    expect(accountOf(visits)).toEqual(soundAccount(10_000));
  });
});

/**
 * Four workers; while they handle the records, one is killed with SIGKILL, one is added and one leaves. Answers what all of
 * them wrote down.
 */
async function runWorkers({
  settings,
  directory,
  records,
}: {
  settings: RedisBusSettings;
  directory: string;
  records: number;
}): Promise<Visit[]> {
  const topic = randomUUID();
  const limits = { maxBatchSize: 10, concurrency: 8 };
  const subscription = { topics: [topic], group: 'workers', from: 'earliest', ...limits } as const;
  const handled = new Handled();
  const workers: WorkerProcess[] = [];
  const start = async () => {
    // A machine that is busy may stop a process for seconds, which must not look like a death.
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
    // Some are kept back, so that there is work left for the one that is added.
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
  return (await Promise.all(workers.map((worker) => worker.visits()))).flat();
}

/** What has to be right about the visits of all workers to the partitions. */
function accountOf(visits: readonly Visit[]) {
  const finished = visits.filter((visit) => visit.finished);
  return {
    meetings: meetings(visits),
    outOfOrder: outOfOrder(visits),
    handled: new Set(finished.flatMap(({ bodies }) => bodies)).size,
    workers: new Set(visits.map(({ worker }) => worker)).size,
    partitions: new Set(visits.map(({ partition }) => partition)).size,
  };
}

function soundAccount(records: number): ReturnType<typeof accountOf> {
  return { meetings: [], outOfOrder: [], handled: records, workers: 5, partitions: 8 };
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

/** Publishes the records from one number to another, each with the next number of its key. */
async function publishInOrder(bus: Bus, topic: string, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += KEYS) {
    const batch = Array.from({ length: KEYS }, (_, key): OutgoingRecord => ({
      key: `key-${key}`,
      value: Buffer.from(`key-${key} ${start / KEYS}`),
    }));
    await bus.publish(topic, batch);
  }
}

/** Two visits to one partition, of which the second began before the first had ended. */
function meetings(visits: readonly Visit[]): string[] {
  return [...Map.groupBy(visits, ({ partition }) => partition)].flatMap(([partition, inside]) =>
    inside
      .toSorted((one, other) => (one.enteredAt < other.enteredAt ? -1 : 1))
      .flatMap((visit, index, sorted) => {
        const before = sorted[index - 1];
        if (before === undefined || visit.enteredAt >= before.leftAt) return [];
        return [`partition ${partition}: ${before.worker} and ${visit.worker} at ${visit.enteredAt}`];
      }),
  );
}

/** Records that were first taken up after a later one of their key. */
function outOfOrder(visits: readonly Visit[]): string[] {
  const next = new Map<string, number>();
  const seen = new Set<string>();
  const faults: string[] = [];
  for (const { bodies } of visits.toSorted((one, other) => (one.enteredAt < other.enteredAt ? -1 : 1))) {
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

/** Which partitions a group's member is given records of. */
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

/** A record into each of eight partitions. */
async function fill(bus: Bus, topic: string): Promise<void> {
  await bus.publish(
    topic,
    Array.from({ length: 8 }, () => ({ value: Buffer.from('x') })),
  );
}

/** Lets so many exchanges with Redis pass, each behind a heartbeat. */
async function lookAgain(bus: Bus, topic: string, times: number): Promise<string> {
  for (let time = 0; time < times; time++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await bus.lag?.('g', [topic]);
  }
  return 'as before';
}
