import { afterAll, beforeAll } from '@jest/globals';
import { LocalFanout } from '../../src/delivery/adapters/local.fanout.js';
import { MemoryHistory } from '../../src/delivery/adapters/memory.history.js';
import { MemoryPresence } from '../../src/delivery/adapters/memory.presence.js';
import {
  describeWithOwn,
  startRedis,
  startRedisCluster,
  type RunningBroker,
  type RunningRedisCluster,
} from '../brokers.js';
import { describeHistory, describeSharedHistory, describeStoppedHistory } from './history.contract.js';
import { describePresence } from './presence.contract.js';
import { redisEngines } from './redis-engine.open.js';

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
});

describeWithOwn('redis', 'a Redis Cluster', () => {
  let cluster: RunningRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 60_000);
  afterAll(() => cluster.dispose());

  const engines = () => {
    const clusterNodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    return redisEngines(cluster.brokers, { clusterNodes });
  };
  describeHistory('RedisHistory (Cluster)', async () => engines());
  describeSharedHistory('RedisHistory (Cluster)', async () => engines());
  describePresence('RedisPresence (Cluster)', async () => engines().presence);
});
