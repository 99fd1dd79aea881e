import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { RedisParkedRecords } from '../../../src/bus/adapters/redis/retries/redis.retry-store.js';
import { SqliteParkedRecords } from '../../../src/bus/adapters/sqlite/sqlite.retry-store.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisDriverOptions } from '../../../src/redis/index.js';
import {
  describeWithOwn,
  type RunningBroker,
  type RunningRedisCluster,
  startRedis,
  startRedisCluster,
} from '../../support/brokers.js';
import { describeParkedRecords, type ParkedSubject } from './retry-store.contract.js';

// Longer than a busy machine stops a process: a handler that has ended is always waited for, and a lease lasts.
const closeTimeoutMs = 3_000;
const leaseMs = 6_000;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-parked-'));
});
afterAll(() => rm(directory, { recursive: true }));

describeParkedRecords('SqliteParkedRecords in a file', async () => {
  const path = join(directory, `${randomUUID()}.db`);
  const open = () =>
    SqliteParkedRecords.open({ path, synchronous: 'normal', closeTimeoutMs }, new BrokerStatus('sqlite'));
  return { parked: await open(), reopen: open };
});

describeParkedRecords('SqliteParkedRecords in memory', async () => ({
  parked: await SqliteParkedRecords.open(
    { path: ':memory:', synchronous: 'normal', closeTimeoutMs },
    new BrokerStatus('sqlite'),
  ),
}));

describeWithOwn('redis', 'on one server', () => {
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis({ appendOnly: true });
  });
  afterAll(() => redis.dispose());

  describeParkedRecords('RedisParkedRecords', async () => ({
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

  describeParkedRecords('RedisParkedRecords', () =>
    subjectOf({
      url: 'redis://cluster',
      clusterNodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`),
      keyPrefix: randomUUID(),
    }),
  );
});

async function subjectOf(options: object): Promise<ParkedSubject> {
  const open = () =>
    RedisParkedRecords.open(
      {
        ...redisDriverOptions.parse({ commandTimeoutMs: 20_000, ...options }),
        pollIntervalMs: 20,
        closeTimeoutMs,
        leaseMs,
      },
      new BrokerStatus('redis (parked records)'),
    );
  const parked = await open();
  // Closing gives up on a handler that does not end, and extends its lease no more.
  return { parked, another: open, reopen: open, die: () => parked.close() };
}
