/** When a connection to Redis counts as up. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { closeRedis, openRedis, openRedisNode, redisDriverOptions } from '../../../src/redis/index.js';
import { redisCli } from '../../../scripts/brokers/redis.js';
import {
  describeWithOwn,
  type RunningBroker,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '../../support/brokers.js';

describeWithOwn('redis', 'a connection to Redis', () => {
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis({ args: ['--databases', '4'] });
  });
  afterAll(() => redis.dispose());

  const opened = async (url: string) => {
    const status = new BrokerStatus('redis');
    const client = await openRedis(redisDriverOptions.parse({ url, reconnectMaxDelayMs: 50 }), status);
    return { status, [Symbol.asyncDispose]: () => closeRedis(client), client };
  };

  it('uses the database of the URL', async () => {
    await using connection = await opened(`${redis.url}/3`);
    expect(connection.status.state).toBe('up');
    await connection.client.set('in-database-3', '1');
    expect(await redisCli(redis.url, '-n', '3', 'EXISTS', 'in-database-3')).toBe('1');
    expect(await redisCli(redis.url, 'EXISTS', 'in-database-3')).toBe('0');
  });

  it('is not up, and accepts no call, if the server does not have the database', async () => {
    await using connection = await opened(`${redis.url}/99`);
    expect(connection.status.state).toBe('down');
    expect(connection.status.reason).toContain('set a database in the Redis URL');
    for (let attempt = 0; attempt < 3; attempt++) {
      await new Promise((resolve) => connection.client.once('reconnecting', resolve));
      await expect(connection.client.set('elsewhere', '1')).rejects.toBeInstanceOf(Error);
    }
    expect(connection.status.state).toBe('down');
    expect(await redisCli(redis.url, 'EXISTS', 'elsewhere')).toBe('0');
  });

  it('is not up if the password is wrong', async () => {
    await redisCli(redis.url, 'ACL', 'SETUSER', 'app', 'on', '>right', '+@all', '~*');
    await using connection = await opened(redis.url.replace('redis://', 'redis://app:wrong@'));
    expect(connection.status.state).toBe('down');
    expect(connection.status.reason).toContain('set the user and the password');
  });

  it('is up again when the server accepts the user', async () => {
    await redisCli(redis.url, 'ACL', 'SETUSER', 'later', 'off');
    await using connection = await opened(redis.url.replace('redis://', 'redis://later:secret@'));
    expect(connection.status.state).toBe('down');
    const ready = new Promise((resolve) => connection.client.once('ready', resolve));
    await redisCli(redis.url, 'ACL', 'SETUSER', 'later', 'on', '>secret', '+@all', '~*');
    await ready;
    expect(connection.status.state).toBe('up');
  });

  it('stays open over the time after which the server closes idle ones', async () => {
    await redisCli(redis.url, 'CONFIG', 'SET', 'timeout', '2');
    try {
      const changes: string[] = [];
      const status = new BrokerStatus('redis', ({ state }) => changes.push(state));
      const options = redisDriverOptions.parse({ url: redis.url, keepAliveIntervalMs: 200 });
      const client = await openRedis(options, status);
      const node = await openRedisNode(options, status, {}, client, 0);
      const idle = await openRedis({ ...options, keepAliveIntervalMs: 60_000 }, new BrokerStatus('idle'));
      // The server closes the connection without PING. By then, it would have closed the others as well.
      await new Promise((resolve) => idle.once('close', resolve));
      expect(await client.ping()).toBe('PONG');
      expect(await node.ping()).toBe('PONG');
      expect(changes).toEqual(['up']);
      await Promise.all([client, node, idle].map(closeRedis));
    } finally {
      await redisCli(redis.url, 'CONFIG', 'SET', 'timeout', '0');
    }
  });
});

describeWithOwn('redis', 'an idle connection to Redis', () => {
  const startBehindSentinels = async () => {
    const redis = await startRedisSentinel();
    const { brokers, sentinels, name } = redis;
    const addresses = sentinels.map(({ host, port }) => `${host}:${port}`);
    return {
      brokers,
      dispose: () => redis.dispose(),
      options: { sentinels: addresses, sentinelMaster: name },
    };
  };
  const startAsCluster = async () => {
    const cluster = await startRedisCluster();
    const clusterNodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    return { brokers: cluster.brokers, dispose: () => cluster.dispose(), options: { clusterNodes } };
  };

  it.each([
    ['behind Sentinels', startBehindSentinels],
    ['in a Cluster', startAsCluster],
  ])('stays open %s over the time after which the servers close it', async (_, start) => {
    const { brokers, options, dispose } = await start();
    for (const { url } of brokers) await redisCli(url, 'CONFIG', 'SET', 'timeout', '2');
    const changes: string[] = [];
    const status = new BrokerStatus('redis', ({ state }) => changes.push(state));
    const driver = redisDriverOptions.parse({ ...options, url: 'redis://redis', keepAliveIntervalMs: 200 });
    const client = await openRedis(driver, status);
    const node = await openRedisNode(driver, status, {}, client, 0);
    const single = redisDriverOptions.parse({ url: brokers[0]!.url, keepAliveIntervalMs: 60_000 });
    const idle = await openRedis(single, new BrokerStatus('idle'));
    // The server closes the connection without PING. By then, it would have closed the others as well.
    await new Promise((resolve) => idle.once('close', resolve));
    const connections = client instanceof Cluster ? client.nodes('master') : [client];
    for (const connection of [...connections, node]) expect(await connection.ping()).toBe('PONG');
    expect(new Set(changes)).toEqual(new Set(['up']));
    await Promise.all([client, node, idle].map(closeRedis));
    await dispose();
  });
});
