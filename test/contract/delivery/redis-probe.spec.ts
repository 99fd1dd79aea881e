/** A fan-out over Redis through which nothing arrives any more, although its connections are up. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { RedisFanout } from '../../../src/delivery/adapters/redis/redis.fanout.js';
import { deliveryOptions } from '../../../src/delivery/delivery.options.js';
import { Publication } from '../../../src/delivery/index.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisCli } from '../../../scripts/brokers/redis.js';
import {
  describeWithOwn,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
  type RunningBroker,
} from '../../support/brokers.js';
import { EventLog } from '../../support/event-log.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const PROBE_TIMEOUT_MS = 1_000;

async function openFanout(settings: object) {
  const { fanout: options } = deliveryOptions.parse({
    fanout: {
      kind: 'redis',
      keyPrefix: randomUUID(),
      reconnectMaxDelayMs: 200,
      pingIntervalMs: 100,
      probeTimeoutMs: PROBE_TIMEOUT_MS,
      ...settings,
    },
  });
  if (options.kind !== 'redis') throw new Error('these are the options of another fan-out');
  const events = new EventLog<string>();
  const received = new EventLog<string>();
  const fanout = await RedisFanout.open(
    options,
    ({ channel }) => received.add(channel),
    {
      publishing: new BrokerStatus('publishing'),
      subscriptions: new BrokerStatus('subscriptions', ({ state }) => events.add(state)),
    },
    () => {},
    { onEcho: () => events.add('echo'), onLost: () => events.add('lost') },
  );
  return { fanout, events, received };
}

const publicationIn = (channel: string) =>
  new Publication({
    channel,
    data: Buffer.from('1'),
    format: 'json',
    id: randomUUID(),
    createdAt: 0,
    dueAt: undefined,
    lane: 'direct',
  });

/** Resolves when the event happened again, after the ones so far. */
const next = async (log: EventLog<string>, event: string) => {
  const start = log.entries.length;
  await log.until((entries) => entries.slice(start).includes(event));
};

describeWithOwn('redis', 'the probe of a fan-out', () => {
  let servers: RunningBroker[];
  let proxy: TcpProxy;
  beforeEach(async () => {
    servers = await Promise.all([startRedis(), startRedis()]);
    proxy = await TcpProxy.open(portOf(servers[0]!));
  });
  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    await Promise.all(servers.map((server) => server.dispose()));
  });

  it('arrives again and again', async () => {
    const { fanout, events } = await openFanout({ url: `redis://127.0.0.1:${proxy.port}` });
    await events.until((entries) => entries.filter((event) => event === 'echo').length >= 3);
    expect(events.entries.filter((event) => event !== 'echo')).toEqual(['up']);
    await fanout.close();
  });

  it('leads both connections to one server again, after a failover that left the old primary reachable', async () => {
    const { fanout, events, received } = await openFanout({ url: `redis://127.0.0.1:${proxy.port}` });
    await fanout.subscribe('room');
    await next(events, 'echo');
    // Only the connection that publishes moves. The subscriptions stay on the old primary, which works.
    proxy.targetPort = portOf(servers[1]!);
    await redisCli(servers[0]!.url, 'CLIENT', 'KILL', 'TYPE', 'normal');
    await next(events, 'lost');
    expect(events.entries).toContain('down');
    await next(events, 'up');
    await fanout.publish(publicationIn('room'));
    await received.until((channels) => channels.includes('room'));
    await fanout.close();
  });

  it('continues after its connections were open but dead', async () => {
    const { fanout, events } = await openFanout({ url: `redis://127.0.0.1:${proxy.port}` });
    await next(events, 'echo');
    proxy.silence();
    await next(events, 'down');
    proxy.unsilence();
    await next(events, 'echo');
    expect(events.entries).toEqual(expect.arrayContaining(['down', 'up']));
    await fanout.close();
  });
});

describeWithOwn('redis', 'the probe of a fan-out behind Sentinels', () => {
  it.each([
    ['follows a failover that leaves the old primary reachable', false],
    ['follows it also if the Sentinels cannot announce it', true],
  ])('%s', async (_, silenced) => {
    await using redis = await startRedisSentinel();
    const [{ host, port } = { host: '', port: 0 }] = redis.sentinels;
    await using proxy = await TcpProxy.open(port);
    const old = redis.brokers[0]!.url;
    // The old primary cannot be made a replica, as behind a partition. Clients can still reach it.
    await redisCli(old, 'ACL', 'SETUSER', 'default', '-replicaof', '-slaveof');
    const settings = {
      url: 'redis://sentinels',
      keyPrefix: randomUUID(),
      sentinels: [`127.0.0.1:${proxy.port}`],
      sentinelMaster: redis.name,
    };
    const { fanout, events, received } = await openFanout(settings);
    await fanout.subscribe('room');
    await next(events, 'echo');
    if (silenced) proxy.silence();
    const sentinel = (...command: string[]) => redisCli(`redis://${host}:${port}`, 'SENTINEL', ...command);
    await sentinel('FAILOVER', redis.name);
    // The Sentinel announces the new primary at the end.
    while (
      (await redis.master()).port === Number(new URL(old).port) ||
      (await sentinel('MASTER', redis.name)).includes('failover_in_progress')
    )
      await delay(50);
    if (silenced) proxy.unsilence();
    await events.until((entries) => entries.includes('down') && entries.at(-1) === 'echo');
    expect(await redisCli(old, 'ROLE')).toMatch(/^master/);

    const newcomer = await openFanout(settings);
    await newcomer.fanout.publish(publicationIn('room'));
    await received.until((channels) => channels.includes('room'));
    await Promise.all([fanout.close(), newcomer.fanout.close()]);
  });
});

describeWithOwn('redis', 'the probe of a fan-out in a Cluster', () => {
  it.each([false, true])('arrives in every part that is listened to (sharded: %s)', async (sharded) => {
    const cluster = await startRedisCluster();
    const clusterNodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    const { fanout, events } = await openFanout({ url: 'redis://cluster', clusterNodes, sharded });
    await events.until((entries) => entries.filter((event) => event === 'echo').length >= 8);
    const subcommand = sharded ? 'SHARDCHANNELS' : 'CHANNELS';
    const lists = await Promise.all(
      cluster.nodes.map(({ host, port }) =>
        redisCli(`redis://${host}:${port}`, 'PUBSUB', subcommand, '*:probe:*'),
      ),
    );
    const channels = new Set(lists.flatMap((list) => list.split('\n').filter(Boolean)));
    expect(channels.size).toBe(4);
    await fanout.close();
    await cluster.dispose();
  });
});

function portOf({ url }: RunningBroker): number {
  return Number(new URL(url).port);
}
