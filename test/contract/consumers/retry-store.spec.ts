import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { RedisRetryStore } from '../../../src/bus/adapters/redis/retries/redis.retry-store.js';
import { SqliteRetryStore } from '../../../src/bus/adapters/sqlite/sqlite.retry-store.js';
import type { DeadLetterLimits } from '../../../src/bus/retries/retry-store.options.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisDriverOptions } from '../../../src/redis/index.js';
import {
  describeWithOwn,
  type RunningBroker,
  type RunningRedisCluster,
  startRedis,
  startRedisCluster,
} from '../../support/brokers.js';
import { manyDeadLetters } from './dead-letter-limits.js';
import { describeRetryStore, type RetryStoreSubject } from './retry-store.contract.js';

// Longer than a busy machine stops a process: a handler that has ended is always waited for, and a lease lasts.
const closeTimeoutMs = 3_000;
const leaseMs = 6_000;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-retry-store-'));
});
afterAll(() => rm(directory, { recursive: true }));

describeRetryStore('SqliteRetryStore in a file', async (limits) => {
  const path = join(directory, `${randomUUID()}.db`);
  const open = () =>
    SqliteRetryStore.open(
      { path, synchronous: 'normal', ...manyDeadLetters, ...limits, closeTimeoutMs },
      new BrokerStatus('sqlite'),
    );
  return { retryStore: await open(), reopen: open };
});

describeRetryStore('SqliteRetryStore in memory', async (limits) => ({
  retryStore: await SqliteRetryStore.open(
    { path: ':memory:', synchronous: 'normal', ...manyDeadLetters, ...limits, closeTimeoutMs },
    new BrokerStatus('sqlite'),
  ),
}));

describeWithOwn('redis', 'on one server', () => {
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis({ appendOnly: true });
  });
  afterAll(() => redis.dispose());

  describeRetryStore('RedisRetryStore', async (limits) => ({
    ...(await subjectOf({ url: redis.url, keyPrefix: randomUUID() }, limits)),
    store: { stop: () => redis.kill(), start: () => redis.restart() },
  }));
});

describeWithOwn('redis', 'on a Cluster', () => {
  let cluster: RunningRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.dispose());

  describeRetryStore('RedisRetryStore', (limits) =>
    subjectOf(
      {
        url: 'redis://cluster',
        clusterNodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`),
        keyPrefix: randomUUID(),
      },
      limits,
    ),
  );
});

async function subjectOf(options: object, limits: Partial<DeadLetterLimits>): Promise<RetryStoreSubject> {
  const open = () =>
    RedisRetryStore.open(
      {
        ...redisDriverOptions.parse({ commandTimeoutMs: 20_000, ...options }),
        ...manyDeadLetters,
        ...limits,
        pollIntervalMs: 20,
        closeTimeoutMs,
        leaseMs,
      },
      new BrokerStatus('redis (retry store)'),
    );
  const retryStore = await open();
  // Closing gives up on a handler that does not end, and extends its lease no more.
  return { retryStore, another: open, reopen: open, die: () => retryStore.close() };
}
