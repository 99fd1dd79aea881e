import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../src/bus/index.js';
import { LocalFanout } from '../../../src/delivery/adapters/memory/local.fanout.js';
import { MemoryHistory } from '../../../src/delivery/adapters/memory/memory.history.js';
import { MemoryPresence } from '../../../src/delivery/adapters/memory/memory.presence.js';
import { MemoryRegistry } from '../../../src/delivery/adapters/memory/memory.registry.js';
import { SqliteRegistry } from '../../../src/delivery/adapters/sqlite/sqlite.registry.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { Publication, type StreamPosition } from '../../../src/delivery/index.js';
import { redisCli } from '../../../scripts/brokers/redis.js';
import {
  describeWithOwn,
  startRedis,
  startRedisCluster,
  type RunningBroker,
  type RunningRedisCluster,
} from '../../support/brokers.js';
import {
  describeHistory,
  describeSharedHistory,
  describeStoppedHistory,
  HistoryInbox,
} from './history.contract.js';
import { describePresence } from './presence.contract.js';
import { describeRegistry } from './registry.contract.js';
import { redisEngines } from './redis-engine.open.js';

const kept = { size: 10, ttlMs: 60_000, metaTtlMs: 60_000 };
const roomy = { maxBytes: 10_000_000, maxChannels: 1_000, maxKeys: 1_000 };

describeHistory('MemoryHistory', async () => {
  let now = 1_000_000;
  return {
    open: async (inbox) => {
      const fanout = new LocalFanout(inbox.handler);
      return { fanout, history: new MemoryHistory(fanout, { ...roomy, now: () => now }) };
    },
    elapse: async (ms) => void (now += ms),
  };
});

describePresence('MemoryPresence', async () => {
  let now = 1_000_000;
  return {
    open: async () => {
      const presence = new MemoryPresence(() => now);
      return { presence, close: () => presence.close() };
    },
    elapse: async (ms) => void (now += ms),
    isShared: false,
  };
});

describeRegistry('MemoryRegistry', async () => {
  let now = 1_000_000;
  const registry = new MemoryRegistry(() => now);
  return {
    open: async () => ({ registry, close: () => registry.close() }),
    elapse: async (ms) => void (now += ms),
  };
});

describeRegistry('SqliteRegistry', async () => {
  let now = 1_000_000;
  const file = { path: ':memory:', synchronous: 'normal' } as const;
  const registry = new SqliteRegistry(
    file,
    () => new BrokerStatus('sqlite'),
    () => now,
  );
  return {
    open: async () => ({ registry, close: () => registry.close() }),
    elapse: async (ms) => void (now += ms),
  };
});

for (const sharded of [false, true]) {
  const suffix = sharded ? ' (sharded pub/sub)' : '';
  describeWithOwn('redis', `one Redis${suffix}`, () => {
    let redis: RunningBroker;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis.dispose());

    describeHistory(`RedisHistory${suffix}`, async () => redisEngines([redis], { sharded }));
    describeSharedHistory(`RedisHistory${suffix}`, async () => redisEngines([redis], { sharded }));
    describeStoppedHistory(`RedisHistory${suffix}`, async () => redisEngines([redis], { sharded }));
    describePresence(`RedisPresence${suffix}`, async () => redisEngines([redis], { sharded }).presence);
  });
}

describeWithOwn('redis', 'a Redis that keeps its data', () => {
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis({ appendOnly: true });
  });
  afterAll(() => redis.dispose());

  describeStoppedHistory('RedisHistory (append only file)', async () =>
    redisEngines([redis], { keepsData: true }),
  );
});

describeWithOwn('redis', 'a Redis that went back to an earlier state', () => {
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.dispose());

  it.each(['with', 'without'])(
    'starts new epochs and receives all publications again, %s idempotency keys',
    async (keys) => {
      const engines = redisEngines([redis]);
      const inbox = new HistoryInbox();
      const { fanout, history } = await engines.open(inbox);
      const publish = async (text: string) => {
        const data = Buffer.from(text);
        const message = new Publication({
          channel: 'a',
          data,
          format: 'json',
          id: text,
          createdAt: 0,
          lane: 'direct',
        });
        const idempotency = keys === 'with' ? { idempotency: { key: text, ttlMs: 60_000 } } : {};
        const terms = { history: kept, ...idempotency };
        for (;;) {
          const position = await history.publish(message, terms).catch((error: unknown) => error);
          if (!(position instanceof Error)) return position as StreamPosition;
          expect(position).toBeInstanceOf(BrokerUnavailableError);
          await once(AbortSignal.timeout(20), 'abort');
        }
      };
      await fanout.subscribe('a');
      for (const text of ['1', '2', '3']) await publish(text);
      await redisCli(redis.url, 'SAVE');
      const lost = [await publish('4'), await publish('5')];
      await redis.kill();
      const { epoch } = lost[0]!;
      await redis.restart();
      const isAgain = (text: string) => (each: Publication) =>
        each.data.toString() === text && each.epoch !== epoch;
      await inbox.until(() => inbox.publications.some(isAgain('5')));
      const next = await publish('6');
      const page = await history.read('a', { limit: -1, metaTtlMs: kept.metaTtlMs });
      expect(page.epoch).not.toBe(epoch);
      expect(page).toMatchObject(next);
      // A different epoch, so that no position is assigned twice.
      const texts = ['1', '2', '3', '4', '5', '6'];
      expect(page.publications.map(({ offset, data }) => [offset, data.toString()])).toEqual(
        texts.map((text, index) => [index + 1, text]),
      );
      await fanout.close();
    },
  );
});

describeWithOwn('redis', 'a Redis that has lost nothing', () => {
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.dispose());

  describeRegistry('RedisRegistry', async () => redisEngines([redis]).registry);

  it('keeps its histories when a process that was idle for a long time is disconnected', async () => {
    const engines = redisEngines([redis], { replayWindowMs: 1_000 });
    const { fanout, history } = await engines.open(new HistoryInbox());
    const message = new Publication({
      channel: 'a',
      data: Buffer.from('1'),
      format: 'json',
      id: '1',
      createdAt: 0,
      lane: 'direct',
    });
    const place = await history.publish(message, { history: kept });
    await engines.elapse(3_000);
    await redisCli(redis.url, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await engines.elapse(3_000);
    const page = await history.read('a', { limit: -1, metaTtlMs: kept.metaTtlMs });
    expect(page).toMatchObject({ ...place, publications: [{ offset: 1 }] });
    await fanout.close();
  });

  it('replays missed publications even if the ids of a stream are ahead of its clock', async () => {
    const engines = redisEngines([redis]);
    const inbox = new HistoryInbox();
    const [here, there] = [await engines.open(new HistoryInbox()), await engines.open(inbox)];
    await there.fanout.subscribe('a');
    const publish = (text: string) =>
      here.fanout.publish(
        new Publication({
          channel: 'a',
          data: Buffer.from(text),
          format: 'json',
          id: text,
          createdAt: 0,
          lane: 'direct',
        }),
      );
    await publish('1');
    for (const key of (await redisCli(redis.url, 'KEYS', '*recent')).match(/\{.*recent/g) ?? [])
      await redisCli(
        redis.url,
        'XADD',
        key,
        `${Date.now() + 60_000}-0`,
        'e',
        'of a server whose clock is ahead',
      );
    await engines.faults.cutSubscriptions();
    await publish('2');
    await inbox.until(() => inbox.publications.some(({ data }) => data.toString() === '2'));
    expect(inbox.publications.at(-1)?.data.toString()).toBe('2');
    await Promise.all([here.fanout.close(), there.fanout.close()]);
  });
});

describeWithOwn('redis', 'several Redis', () => {
  let servers: RunningBroker[];
  beforeAll(async () => {
    servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  });
  afterAll(async () => void (await Promise.all(servers.map((server) => server.dispose()))));

  const engines = () => redisEngines(servers, { shards: servers.map(({ url }) => url) });
  describeHistory('RedisHistory (several Redis)', async () => engines());
  describeSharedHistory('RedisHistory (several Redis)', async () => engines());
  describeStoppedHistory('RedisHistory (several Redis)', async () => engines());
  describePresence('RedisPresence (several Redis)', async () => engines().presence);
  describeRegistry('RedisRegistry (several Redis)', async () => engines().registry);
});

describeWithOwn('redis', 'a Redis Cluster', () => {
  let cluster: RunningRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.dispose());

  for (const sharded of [false, true]) {
    const suffix = ` (Cluster${sharded ? ', sharded' : ''})`;
    const engines = () => {
      const clusterNodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
      return redisEngines(cluster.brokers, { clusterNodes, sharded });
    };
    describeHistory(`RedisHistory${suffix}`, async () => engines());
    describeSharedHistory(`RedisHistory${suffix}`, async () => engines());
    describePresence(`RedisPresence${suffix}`, async () => engines().presence);
    describeRegistry(`RedisRegistry${suffix}`, async () => engines().registry);
  }
});
