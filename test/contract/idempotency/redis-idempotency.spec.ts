import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll } from '@jest/globals';
import { RedisIdempotency } from '../../../src/bus/adapters/redis/redis.idempotency.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisDriverOptions } from '../../../src/redis/index.js';
import {
  describeWithOwn,
  type RunningBroker,
  type RunningRedisCluster,
  startRedis,
  startRedisCluster,
} from '../../support/brokers.js';
import { describeIdempotency, type IdempotencySubject } from './idempotency.contract.js';

describeWithOwn('redis', 'on one server', () => {
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis({ appendOnly: true });
  });
  afterAll(() => redis.dispose());

  describeIdempotency('RedisIdempotency', async () => ({
    ...(await subjectOf({ url: redis.url, keyPrefix: randomUUID() })),
    store: { stop: () => redis.kill(), start: () => redis.restart() },
  }));
});

describeWithOwn('redis', 'on a Cluster', () => {
  let cluster: RunningRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.dispose());

  describeIdempotency('RedisIdempotency', () =>
    subjectOf({
      url: 'redis://cluster',
      clusterNodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`),
      keyPrefix: randomUUID(),
    }),
  );
});

async function subjectOf(options: object): Promise<IdempotencySubject> {
  const open = () =>
    RedisIdempotency.open(
      redisDriverOptions.parse({ commandTimeoutMs: 20_000, ...options }),
      new BrokerStatus('redis (idempotency)'),
    );
  return {
    idempotency: await open(),
    another: open,
    reopen: open,
    // Redis measures the time, and no event reports that it is over.
    elapse: async (ms) => void (await once(AbortSignal.timeout(ms), 'abort')),
  };
}
