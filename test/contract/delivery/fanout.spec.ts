import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../src/bus/index.js';
import { LocalFanout } from '../../../src/delivery/adapters/memory/local.fanout.js';
import { RedisFanout } from '../../../src/delivery/adapters/redis/redis.fanout.js';
import { deliveryOptions, type RedisFanoutOptions } from '../../../src/delivery/delivery.options.js';
import { Publication } from '../../../src/delivery/index.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisCli } from '../../../scripts/brokers/redis.js';
import {
  describeWithOwn,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
  type RunningBroker,
  type RunningRedisCluster,
  type RunningRedisSentinel,
} from '../../support/brokers.js';
import { describeFanout, describeSharedFanout, type FanoutSubject } from './fanout.contract.js';

describeFanout('LocalFanout', async () => ({ open: async (handler) => new LocalFanout(handler) }));

type Settings = Pick<RedisFanoutOptions, 'sharded'> &
  Partial<Pick<RedisFanoutOptions, 'clusterNodes' | 'sentinels' | 'sentinelMaster'>>;

function redisSubject(brokers: readonly RunningBroker[], settings: Settings): Required<FanoutSubject> {
  // A separate prefix, so that a test does not see the data of other tests.
  const keyPrefix = randomBytes(4).toString('hex');
  const urls = brokers.map(({ url }) => url);
  const options = deliveryOptions.parse({ fanout: { kind: 'redis', url: urls[0], keyPrefix, ...settings } });
  if (options.fanout.kind !== 'redis') throw new Error('these are the options of another fan-out');
  const { fanout } = options;
  const askAll = async (...command: string[]) => {
    await Promise.all(urls.map((url) => redisCli(url, ...command)));
  };
  let frozen: number[] = [];
  return {
    open: (handler) =>
      RedisFanout.open(fanout, handler, {
        publishing: new BrokerStatus('redis (publishing)'),
        subscriptions: new BrokerStatus('redis (subscriptions)'),
      }),
    faults: {
      kill: async () => void (await Promise.all(brokers.map((broker) => broker.kill()))),
      restart: async () => void (await Promise.all(brokers.map((broker) => broker.restart()))),
      cutSubscriptions: () => askAll('CLIENT', 'KILL', 'TYPE', 'pubsub'),
      cutCommands: () => askAll('CLIENT', 'KILL', 'TYPE', 'normal'),
      freeze: async () => {
        const infos = await Promise.all(urls.map((url) => redisCli(url, 'INFO', 'server')));
        frozen = infos.map((info) => Number(/process_id:(\d+)/.exec(info)?.[1]));
        for (const pid of frozen) process.kill(pid, 'SIGSTOP');
      },
      thaw: async () => {
        for (const pid of frozen) process.kill(pid, 'SIGCONT');
      },
      sendGarbage: async (channel, bytes) => {
        const [list, command] = settings.sharded ? ['SHARDCHANNELS', 'SPUBLISH'] : ['CHANNELS', 'PUBLISH'];
        const names = await Promise.all(urls.map((url) => redisCli(url, 'PUBSUB', list, `*:${channel}`)));
        await redisCli(
          urls[0]!,
          '-c',
          command,
          names.find((name) => name !== '')!,
          bytes,
        );
      },
    },
  };
}

// Not the last suite: ioredis may take 2 s to close the connection to a Sentinel, and jest gives a process half a second to end.
describeWithOwn('redis', 'RedisFanout behind Sentinels', () => {
  let redis: RunningRedisSentinel;
  beforeAll(async () => {
    redis = await startRedisSentinel();
  });
  afterAll(() => redis.dispose());

  it('follows a failover, and delivers what was accepted before it', async () => {
    const { open } = redisSubject(redis.brokers, {
      sharded: false,
      sentinels: redis.sentinels.map(({ host, port }) => `${host}:${port}`),
      sentinelMaster: redis.name,
    });
    const arrived = new Set<string | undefined>();
    const accepted = new Set<string | undefined>();
    const arrivals = new EventEmitter();
    const fanout = await open(({ id }) => {
      arrived.add(id);
      arrivals.emit('arrival');
    });
    const master = await redis.master();
    await fanout.subscribe('a');
    const publish = async (id: string) => {
      const publication = new Publication({
        channel: 'a',
        data: Buffer.from('1'),
        format: 'json',
        id,
        createdAt: 0,
        lane: 'instant',
      });
      await fanout.publish(publication).then(
        () => accepted.add(id),
        (error: unknown) => expect(error).toBeInstanceOf(BrokerUnavailableError),
      );
    };
    for (let number = 0; number < 100; number++) await publish(`before-${number}`);
    await redis.brokers[0]!.kill();
    for (let number = 0; !accepted.has(`after-${number - 1}`); number++) {
      await publish(`after-${number}`);
      await delay(20);
    }
    while (!accepted.isSubsetOf(arrived)) await once(arrivals, 'arrival');
    expect(await redis.master()).not.toEqual(master);
    expect(accepted.size).toBeGreaterThan(100);
    await fanout.close();
  });
});

for (const sharded of [false, true]) {
  const name = sharded ? 'RedisFanout (sharded)' : 'RedisFanout';
  describeWithOwn('redis', name, () => {
    let redis: RunningBroker;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis.dispose());

    describeFanout(name, async () => redisSubject([redis], { sharded }));
    describeSharedFanout(name, async () => redisSubject([redis], { sharded }));
  });
}

describeWithOwn('redis', 'RedisFanout on a Cluster', () => {
  let cluster: RunningRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.dispose());

  for (const sharded of [false, true]) {
    const name = `RedisFanout (Cluster${sharded ? ', sharded' : ''})`;
    const clusterNodes = () => cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    const subject = async () => redisSubject(cluster.brokers, { sharded, clusterNodes: clusterNodes() });
    describeFanout(name, subject);
    describeSharedFanout(name, subject);

    // A publication that one node forwards to another is lost if they are disconnected at that moment.
    it(`${name} subscribes to a channel on the node that has its history`, async () => {
      const fanout = await (await subject()).open(() => {});
      await Promise.all(Array.from({ length: 40 }, (_, index) => fanout.subscribe(`home-${index}`)));
      const list = sharded ? 'SHARDCHANNELS' : 'CHANNELS';
      const heard = await Promise.all(
        cluster.brokers.map(async ({ url }) => {
          const channels = (await redisCli(url, 'PUBSUB', list, '*:home-*')).split('\n').filter(Boolean);
          // A node refuses a key that belongs to another node.
          for (const channel of channels) expect(await redisCli(url, 'EXISTS', channel)).toBe('0');
          return channels.length;
        }),
      );
      expect(heard.reduce((sum, count) => sum + count)).toBe(40);
      await fanout.close();
    });
  }
});
