import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, jest } from '@jest/globals';
import { LocalFanout } from '../../src/delivery/adapters/local.fanout.js';
import { RedisFanout } from '../../src/delivery/adapters/redis.fanout.js';
import { deliveryOptions } from '../../src/delivery/delivery.options.js';
import { BrokerStatus } from '../../src/metrics/index.js';
import { ask } from '../../scripts/brokers/redis.js';
import { describeWithOwn, startRedis, type RunningBroker } from '../brokers.js';
import { describeFanout, describeSharedFanout, type FanoutSubject } from './fanout.contract.js';

jest.setTimeout(30_000);

describeFanout('LocalFanout', async () => ({ open: async (handler) => new LocalFanout(handler) }));

function redisSubject(redis: RunningBroker, sharded: boolean): Required<FanoutSubject> {
  // A prefix of its own keeps a test from what others left behind.
  const keyPrefix = randomBytes(4).toString('hex');
  const { fanout } = deliveryOptions.parse({ fanout: { kind: 'redis', url: redis.url, keyPrefix, sharded } });
  if (fanout.kind !== 'redis') throw new Error('unreachable');
  const signal = async (name: NodeJS.Signals) => {
    process.kill(pid, name);
  };
  let pid = 0;
  return {
    open: (handler) =>
      RedisFanout.open(fanout, handler, {
        publishing: new BrokerStatus('redis (publishing)'),
        subscriptions: new BrokerStatus('redis (subscriptions)'),
      }),
    faults: {
      kill: () => redis.kill(),
      restart: () => redis.restart(),
      cutSubscriptions: async () => void (await ask(redis.url, 'CLIENT', 'KILL', 'TYPE', 'pubsub')),
      cutCommands: async () => void (await ask(redis.url, 'CLIENT', 'KILL', 'TYPE', 'normal')),
      freeze: async () => {
        pid = Number(/process_id:(\d+)/.exec(await ask(redis.url, 'INFO', 'server'))?.[1]);
        await signal('SIGSTOP');
      },
      thaw: () => signal('SIGCONT'),
      sendGarbage: async (channel, bytes) =>
        void (await ask(
          redis.url,
          sharded ? 'SPUBLISH' : 'PUBLISH',
          `${keyPrefix}:channel:${channel}`,
          bytes,
        )),
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

    describeFanout(name, async () => redisSubject(redis, sharded));
    describeSharedFanout(name, async () => redisSubject(redis, sharded));
  });
}
