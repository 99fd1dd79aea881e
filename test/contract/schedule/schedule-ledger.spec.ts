import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { RedisLedger } from '../../../src/bus/adapters/redis/schedule/redis.ledger.js';
import { SqliteLedger } from '../../../src/bus/adapters/sqlite/sqlite.ledger.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisDriverOptions } from '../../../src/redis/index.js';
import {
  describeWith,
  describeWithOwn,
  type RunningRedisCluster,
  sharedBroker,
  startRedisCluster,
} from '../../support/brokers.js';
import { describeLedger } from './schedule-ledger.contract.js';

const status = () => new BrokerStatus('ledger');

describeLedger('SqliteLedger', (options) =>
  SqliteLedger.open({ path: ':memory:', synchronous: 'normal', ...options }, status()),
);

describeWith('redis', 'on one server', () => {
  describeLedger('RedisLedger', async (options) => {
    const { url } = await sharedBroker('redis');
    return RedisLedger.open(
      { ...redisDriverOptions.parse({ url, keyPrefix: randomUUID() }), ...options },
      status(),
    );
  });
});

describeWithOwn('redis', 'on a Cluster', () => {
  let cluster: RunningRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.dispose());

  describeLedger('RedisLedger', (options) => {
    const clusterNodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    const driver = redisDriverOptions.parse({
      url: 'redis://cluster',
      clusterNodes,
      keyPrefix: randomUUID(),
    });
    return RedisLedger.open({ ...driver, ...options }, status());
  });
});
