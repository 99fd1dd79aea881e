import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { BrokerUnavailableError, type Bus } from '../../../src/bus/index.js';
import { newMessageId, type ReceivedRecord } from '../../../src/message/index.js';
import { RedisBus } from '../../../src/bus/adapters/redis/redis.bus.js';
import { redisStreamsOptions } from '../../../src/bus/adapters/redis/redis.options.js';
import { partitionOfKey } from '../../../src/bus/adapters/redis/streams/stream-keys.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisDriverOptions } from '../../../src/redis/index.js';
import {
  describeWithOwn,
  type RunningBroker,
  type RunningRedisCluster,
  type RunningRedisSentinel,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '../../support/brokers.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { timeTaken } from '../../support/time-taken.js';
import { usedMemory } from '../../support/used-memory.js';
import { type BusSubject, describeBus } from './bus.contract.js';
import { startHoldingProcess } from './holding-process.js';
import { defaultTimeouts, leaseMs, open, type RedisBusSettings } from './redis-bus.open.js';

const module = './redis-bus.open.ts';

describeWithOwn('redis', 'RedisBus on one server', () => {
  let redis: RunningBroker;
  /** A client that waits for the server while it is restarted. */
  let operator: Redis;
  beforeAll(async () => {
    redis = await startRedis({ appendOnly: true });
    operator = new Redis(redis.url, { maxRetriesPerRequest: null });
    operator.on('error', () => {});
  });
  afterAll(async () => {
    operator.disconnect();
    await redis.dispose();
  });
  const opened = async (streams: object = {}, more: object = {}) =>
    disposable(await open({ driver: { url: redis.url, keyPrefix: randomUUID() }, streams, ...more }));

  const prefix = randomUUID();
  describeBus('RedisBus', async () => ({
    ...(await subjectOf({ driver: { url: redis.url, keyPrefix: prefix } })),
    broker: {
      withDefaultTimeouts: () => open({ driver: { url: redis.url, keyPrefix: prefix, ...defaultTimeouts } }),
      stop: () => redis.kill(),
      start: () => redis.restart(),
      freeze: () => redis.freeze(),
      thaw: () => redis.thaw(),
    },
    deadAfterMs: leaseMs,
  }));

  it('names its streams by the template, and chooses the partition of a key by its CRC-32', async () => {
    await using bus = await opened({ streamName: '<topic>:<partition>' });
    const topic = randomUUID();
    await bus.publish(topic, [{ key: 'room:1', headers: { a: 'ü' }, value: Buffer.from('x') }]);
    await bus.publish(topic, [{ key: 'room:2', value: Buffer.from('y') }]);

    // Other implementations of CRC-32 return the same numbers.
    expect([partitionOfKey('room:1', 8), partitionOfKey('clé', 8)]).toEqual([0xbb778c90 % 8, 0x06c72a74 % 8]);
    const stream = `${topic}:${partitionOfKey('room:1', 8)}`;
    const [[, fields]] = (await operator.xrange(stream, '-', '+')) as [[string, string[]]];
    expect(fields).toEqual(['key', 'room:1', 'headers', '{"a":"ü"}', 'value', 'x']);
    expect(await operator.exists(`${topic}:${partitionOfKey('room:2', 8)}`)).toBe(1);
  });

  it('reads entries of other programs, and their additional fields as headers', async () => {
    await using bus = await opened({ streamName: '<topic>:<partition>' });
    const topic = randomUUID();
    const received = await receiver(bus, topic);
    await operator.xadd(`${topic}:3`, '*', 'channel', 'news', 'value', 'v', 'headers', 'no JSON');
    expect(await received.next(1)).toMatchObject([
      { partition: 3, headers: { channel: 'news', headers: 'no JSON' }, value: Buffer.from('v') },
    ]);
  });

  it('trims only what every group has acknowledged', async () => {
    await using bus = await opened({ partitions: 1, maxLength: 100, streamName: '<topic>:<partition>' });
    const topic = randomUUID();
    const length = () => operator.xlen(`${topic}:0`);
    const slow = await receiver(bus, topic, { group: 'slow' });
    slow.subscription.pause();
    const fast = await receiver(bus, topic, { group: 'fast' });
    for (let index = 0; index < 10; index++) await bus.publish(topic, numbered(500));
    await fast.next(5_000);
    expect(await length()).toBe(5_000);
    expect(await bus.lag('slow', [topic])).toMatchObject([{ topic, partition: 0, records: 5_000 }]);
    expect(await bus.lag('nobody', [topic])).toEqual([]);

    slow.subscription.resume();
    const records = await slow.next(5_000);
    expect(records.map(({ value }) => String(value))).toEqual(
      Array.from({ length: 5_000 }, (_, index) => String(index % 500)),
    );
    await slow.subscription.close();
    // A node of a stream holds a hundred entries.
    while ((await length()) > 100 + 100 + 10) await delay(20);
    expect(await length()).toBeGreaterThanOrEqual(100);
  });

  it('trims by length if there is no group', async () => {
    await using bus = await opened({ partitions: 1, maxLength: 200, streamName: '<topic>:<partition>' });
    const topic = randomUUID();
    for (let index = 0; index < 10; index++) await bus.publish(topic, numbered(500));
    await bus.publish(topic, numbered(20));
    while ((await operator.xlen(`${topic}:0`)) >= 500) await delay(20);
    expect(await operator.xlen(`${topic}:0`)).toBeGreaterThanOrEqual(200);
  });

  it('leaves a surplus in proportion to the limit, whichever process publishes', async () => {
    const streams = { partitions: 1, maxLength: 200, streamName: '<topic>:<partition>' };
    await using first = await opened(streams);
    await using second = await opened(streams);
    const topic = randomUUID();
    const received = await receiver(first, topic);
    for (let index = 0; index < 1_000; index++) {
      await (index % 2 ? first : second).publish(topic, numbered(1, index));
    }
    await received.next(1_000);
    await received.subscription.close();
    // A node of the stream holds a hundred entries, and each of two processes may leave a tenth of the limit.
    while ((await operator.xlen(`${topic}:0`)) > 200 + 100 + 2 * 20) await delay(20);
    expect(await operator.xlen(`${topic}:0`)).toBeGreaterThanOrEqual(200);
  });

  it('has one stream with the name of the topic, if the template does not name partitions', async () => {
    await using bus = await opened({ streamName: '<topic>' });
    const topic = randomUUID();
    const received = await receiver(bus, topic);
    await operator.xadd(topic, '*', 'amount', '3', 'currency', 'EUR');
    await bus.publish(topic, [{ key: 'k', headers: { a: '1' }, value: Buffer.from('own') }]);
    const records = await received.next(2);
    expect(records.map(({ partition, value }) => ({ partition, value: String(value) }))).toEqual([
      { partition: 0, value: '{"amount":"3","currency":"EUR"}' },
      { partition: 0, value: 'own' },
    ]);
    expect(await operator.xrange(topic, '-', '+')).toHaveLength(2);
    expect(await bus.lag(received.group, [topic])).toMatchObject([{ topic, partition: 0 }]);
  });

  it.each([
    ['<topic>', 8, 'must be 1 or absent'],
    ['<prefix>', undefined, 'must contain <topic>'],
    ['<partition>:<topic>', undefined, 'after <topic>'],
  ])('refuses the template %s with %s partitions', (streamName, partitions, message) => {
    expect(() => redisStreamsOptions.parse({ streamName, partitions })).toThrow(message);
  });

  it('continues after its scripts, its groups and all data were deleted', async () => {
    await using bus = await opened({ partitions: 2 });
    const topic = randomUUID();
    const received = await receiver(bus, topic);
    const publishAndReceive = async (first: number) => {
      await bus.publish(topic, numbered(10, first));
      await Promise.all(numbered(10, first).map(({ value }) => received.has(String(value))));
    };
    await operator.call('SCRIPT', 'FLUSH');
    await publishAndReceive(0);
    await operator.call('FLUSHALL');
    await publishAndReceive(10);
    expect(received.records).toHaveLength(20);
    for (const stream of await operator.keys(`*${topic}:?}`))
      await operator.xgroup('DESTROY', stream, received.group);
    // A destroyed group starts again at the oldest record: records may arrive twice, but none is lost.
    await publishAndReceive(20);
  });

  it('reads records again, in order, if the reply to a read was lost', async () => {
    await using bus = await opened({ partitions: 1 });
    const topic = randomUUID();
    const received = await receiver(bus, topic);
    let published = 0;
    for (let round = 0; round < 10; round++) {
      const reading = bus.publish(topic, numbered(100, published));
      const cut = operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await Promise.all([reading.catch(() => {}), cut]);
      published += 100;
      await untilDone(() => bus.publish(topic, numbered(1, published)));
      published++;
    }
    await received.has(String(published - 1));
    const bodies = received.records.map(({ position, value }) => ({ position, value: String(value) }));
    const first = [
      ...new Map(bodies.toReversed().map((each) => [each.position, each])).values(),
    ].toReversed();
    const values = first.map(({ value }) => Number(value));
    expect(values).toEqual(values.toSorted((one, other) => one - other));
  });

  it('rejects a publish that waited too long behind others, and does not send it later', async () => {
    await using proxy = await TcpProxy.open(Number(new URL(redis.url).port), { replyDelayMs: 1_200 });
    const driver = { url: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs: 3_000 };
    await using bus = await opened({ partitions: 1, streamName: '<topic>:<partition>' }, { driver });
    const topic = randomUUID();
    await bus.publish(topic, numbered(1));
    // Each of six batches is fast enough, but the last ones start too late.
    const calls = () => numbered(3_000, 1).map((record) => bus.publish(topic, [record]));
    let settled: PromiseSettledResult<void>[] = [];
    const tookMs = await timeTaken(async () => (settled = await Promise.allSettled(calls())));
    const failed = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    expect(failed.length).toBeGreaterThan(1_000);
    expect(failed.length).toBeLessThan(3_000);
    expect(failed.every((error) => error instanceof BrokerUnavailableError)).toBe(true);
    // All six batches would take more than seven seconds.
    expect(tookMs).toBeLessThan(4_000);

    await bus.publish(topic, numbered(1, 9_999));
    // The batch that was being sent when its time ran out, one at most, has been stored.
    expect(await operator.xlen(`${topic}:0`)).toBeLessThanOrEqual(3_002 - failed.length + 500);
    const [[, last]] = (await operator.xrevrange(`${topic}:0`, '+', '-', 'COUNT', 1)) as [[string, string[]]];
    expect(last).toEqual(['value', '9999']);
  });

  it('refuses a process that is configured for another number of partitions than the topic has', async () => {
    const keyPrefix = randomUUID();
    const withPartitions = async (partitions: number) =>
      disposable(await open({ driver: { url: redis.url, keyPrefix }, streams: { partitions } }));
    await using first = await withPartitions(8);
    await using other = await withPartitions(4);
    const topic = randomUUID();
    await first.publish(topic, numbered(1));

    const refused = {
      code: 'partitions_differ',
      message: expect.stringMatching(/has 8 partitions.*configured for 4: set .*\.partitions to 8/s),
    };
    await expect(other.publish(topic, numbered(1))).rejects.toMatchObject(refused);
    await expect(other.subscribe({ topics: [topic], group: 'g' }, async () => {})).rejects.toMatchObject(
      refused,
    );
    // It may use a new topic with its own number of partitions.
    await other.publish(randomUUID(), numbered(1));

    // The error message describes this way to change the number.
    await operator.del(`${keyPrefix}:{${topic}:partitions}`);
    await other.publish(topic, numbered(1));
    const received = await receiver(other, topic);
    await other.publish(topic, [{ value: Buffer.from('x') }]);
    await received.has('x');
  });

  it('needs no memory per heartbeat', async () => {
    const bus = await RedisBus.open(
      {
        ...redisDriverOptions.parse({ url: redis.url, keyPrefix: randomUUID() }),
        // Shorter than the options allow, so that there are enough heartbeats to measure.
        streams: { ...redisStreamsOptions.parse({ partitions: 1 }), heartbeatIntervalMs: 1 },
      },
      new BrokerStatus('redis'),
    );
    await receiver(bus, randomUUID());
    const memoryAfter = async (count: number) => {
      const enough = (await scriptsRun(operator)) + count;
      while ((await scriptsRun(operator)) < enough);
      return usedMemory();
    };
    const before = await memoryAfter(1_000);
    // Two hundred bytes per heartbeat.
    expect((await memoryAfter(3_000)) - before).toBeLessThan(600_000);
    await bus.close();
  });

  it('removes the consumers of former members', async () => {
    const topic = randomUUID();
    await using bus = await opened({ partitions: 1, streamName: '<topic>:<partition>' });
    for (let round = 0; round < 3; round++) {
      const { subscription } = await receiver(bus, topic, { group: 'g' });
      await bus.publish(topic, numbered(1));
      await subscription.close();
    }
    await using next = await opened({ partitions: 1, streamName: '<topic>:<partition>' });
    const received = await receiver(next, topic, { group: 'g' });
    await next.publish(topic, numbered(1));
    await received.next(1);
    expect(await operator.xinfo('CONSUMERS', `${topic}:0`, 'g')).toHaveLength(1);
  });
});

describeWithOwn('redis', 'RedisBus on a Cluster', () => {
  let cluster: RunningRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.dispose());

  const driver = () => ({
    url: 'redis://cluster',
    clusterNodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`),
  });
  describeBus('RedisBus', () => subjectOf({ driver: driver(), streams: { partitions: 4 } }));

  it('distributes a topic over the nodes', async () => {
    await using bus = disposable(await open({ driver: driver(), streams: { partitions: 16 } }));
    const topic = newMessageId();
    await bus.publish(
      topic,
      Array.from({ length: 16 }, () => ({ value: Buffer.from('x') })),
    );
    const keys = await Promise.all(
      cluster.nodes.map(async ({ host, port }) => {
        const url = `redis://${host}:${port}`;
        const node = new Redis(url);
        const found = await node.keys(`*{${topic}:[0-9]*}`);
        node.disconnect();
        return found.length;
      }),
    );
    expect(keys.every((count) => count > 0)).toBe(true);
    expect(keys.reduce((sum, count) => sum + count)).toBe(16);
  });
});

describeWithOwn('redis', 'RedisBus behind a Sentinel', () => {
  let sentinel: RunningRedisSentinel;
  beforeAll(async () => {
    sentinel = await startRedisSentinel();
  });
  afterAll(() => sentinel.dispose());

  const driver = () => ({
    url: 'redis://sentinel',
    sentinels: sentinel.sentinels.map(({ host, port }) => `${host}:${port}`),
    sentinelMaster: sentinel.name,
  });
  describeBus('RedisBus', () => subjectOf({ driver: driver() }));

  it('continues with the new master after a failover', async () => {
    await using bus = disposable(await open({ driver: driver() }));
    const topic = randomUUID();
    const received = await receiver(bus, topic);
    await bus.publish(topic, numbered(100));
    await received.next(100);
    await sentinel.brokers[0]!.kill();
    await untilDone(() => bus.publish(topic, numbered(1, 100)));
    await received.has('100');
    // The new master may have missed the last acknowledgements.
    expect(received.records.length).toBeGreaterThanOrEqual(101);
  });
});

async function subjectOf(settings: RedisBusSettings): Promise<BusSubject> {
  const options = { ...settings, driver: { keyPrefix: `test-${randomUUID()}`, ...settings.driver } };
  return {
    bus: await open(options),
    name: () => randomUUID(),
    another: () => open(options),
    holdElsewhere: (subscription) => startHoldingProcess({ module, options }, subscription),
  };
}

function disposable(bus: RedisBus) {
  return Object.assign(bus, { [Symbol.asyncDispose]: () => bus.close() });
}

/** Subscribes a group, and collects the records that it receives. */
async function receiver(bus: Bus, topic: string, { group }: { group: string } = { group: randomUUID() }) {
  const records: ReceivedRecord[] = [];
  const bodies = new Set<string>();
  const watchers = new Set<() => void>();
  const until = async (fulfilled: () => boolean) => {
    while (!fulfilled()) await new Promise<void>((resolve) => watchers.add(resolve));
  };
  const subscription = await bus.subscribe(
    { topics: [topic], group, maxBatchSize: 100, concurrency: 8 },
    async (batch) => {
      records.push(...batch);
      for (const { value } of batch) bodies.add(String(value));
      for (const wake of watchers) wake();
      watchers.clear();
    },
  );
  return {
    group,
    subscription,
    records,
    next: async (count: number) => {
      await until(() => records.length >= count);
      return records;
    },
    has: (body: string) => until(() => bodies.has(body)),
  };
}

async function scriptsRun(operator: Redis): Promise<number> {
  const [, calls] = /cmdstat_evalsha:calls=(\d+)/.exec(await operator.info('commandstats')) ?? [];
  return Number(calls ?? 0);
}

function numbered(count: number, first = 0) {
  return Array.from({ length: count }, (_, index) => ({ value: Buffer.from(String(first + index)) }));
}

/** Repeats the attempt until it succeeds, without a pause of its own. */
async function untilDone(attempt: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await attempt();
      return;
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
