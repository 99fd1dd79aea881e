import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, jest } from '@jest/globals';
import { LocalFanout } from '../../src/delivery/adapters/local.fanout.js';
import { RedisFanout } from '../../src/delivery/adapters/redis.fanout.js';
import { deliveryOptions, type RedisFanoutOptions } from '../../src/delivery/delivery.options.js';
import { BrokerStatus } from '../../src/metrics/index.js';
import { ask } from '../../scripts/brokers/redis.js';
import {
  describeWithOwn,
  startRedis,
  startRedisCluster,
  type RunningBroker,
  type RunningRedisCluster,
} from '../brokers.js';
import { describeFanout, describeSharedFanout, type FanoutSubject } from './fanout.contract.js';

jest.setTimeout(30_000);

describeFanout('LocalFanout', async () => ({ open: async (handler) => new LocalFanout(handler) }));

type Settings = Pick<RedisFanoutOptions, 'sharded'> & Partial<Pick<RedisFanoutOptions, 'clusterNodes'>>;

function redisSubject(brokers: readonly RunningBroker[], settings: Settings): Required<FanoutSubject> {
  // A prefix of its own keeps a test from what others left behind.
  const keyPrefix = randomBytes(4).toString('hex');
  const urls = brokers.map(({ url }) => url);
  const options = deliveryOptions.parse({ fanout: { kind: 'redis', url: urls[0], keyPrefix, ...settings } });
  if (options.fanout.kind !== 'redis') throw new Error('these are the options of another fan-out');
  const { fanout } = options;
  const askAll = async (...command: string[]) => {
    await Promise.all(urls.map((url) => ask(url, ...command)));
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
        const infos = await Promise.all(urls.map((url) => ask(url, 'INFO', 'server')));
        frozen = infos.map((info) => Number(/process_id:(\d+)/.exec(info)?.[1]));
        for (const pid of frozen) process.kill(pid, 'SIGSTOP');
      },
      thaw: async () => {
        for (const pid of frozen) process.kill(pid, 'SIGCONT');
      },
      sendGarbage: async (channel, bytes) => {
        const command = settings.sharded ? 'SPUBLISH' : 'PUBLISH';
        await ask(urls[0]!, command, `${keyPrefix}:channel:${channel}`, bytes);
      },
    },
  };
}

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

describeWithOwn('redis', 'RedisFanout (Cluster)', () => {
  let cluster: RunningRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 60_000);
  afterAll(() => cluster.dispose());

  const subject = async () =>
    redisSubject(cluster.brokers, {
      sharded: false,
      clusterNodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`),
    });
  describeFanout('RedisFanout (Cluster)', subject);
  describeSharedFanout('RedisFanout (Cluster)', subject);
});
