import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openRedisEngine } from '../../../src/delivery/adapters/redis/redis.engine.js';
import { deliveryOptions, type RedisFanoutOptions } from '../../../src/delivery/delivery.options.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisCli } from '../../../scripts/brokers/redis.js';
import type { RunningBroker } from '../../support/brokers.js';
import type { SharedHistorySubject } from './history.contract.js';
import type { PresenceSubject } from './presence.contract.js';
import type { RegistrySubject } from './registry.contract.js';

type Settings = Partial<
  Pick<
    RedisFanoutOptions,
    'clusterNodes' | 'sentinels' | 'sentinelMaster' | 'sharded' | 'shards' | 'replayWindowMs'
  >
>;

/** Redis engines under a key prefix of their own, and what may be done to their servers. */
export function redisEngines(
  brokers: readonly RunningBroker[],
  settings: Settings & { readonly keepsData?: boolean } = {},
): SharedHistorySubject & { readonly presence: PresenceSubject; readonly registry: RegistrySubject } {
  const { keepsData = false, ...rest } = settings;
  const keyPrefix = randomBytes(4).toString('hex');
  const urls = brokers.map(({ url }) => url);
  const { fanout } = deliveryOptions.parse({
    fanout: { kind: 'redis', url: urls[0], keyPrefix, reconnectMaxDelayMs: 200, ...rest },
  });
  if (fanout.kind !== 'redis') throw new Error('these are the options of another fan-out');
  const open = (handler: Parameters<typeof openRedisEngine>[1]['handler'], onInterrupted = () => {}) =>
    openRedisEngine(fanout, {
      handler,
      onInterrupted,
      status: (name) => ({
        publishing: new BrokerStatus(`redis ${name} (publishing)`),
        subscriptions: new BrokerStatus(`redis ${name} (subscriptions)`),
      }),
    });
  // Redis measures the time itself and sends no event at its end, so this has to wait.
  const elapse = async (ms: number) => void (await once(AbortSignal.timeout(ms), 'abort'));
  return {
    open: (inbox) => open(inbox.handler, inbox.onInterrupted),
    elapse,
    faults: {
      keepsData,
      kill: async () => void (await Promise.all(brokers.map((broker) => broker.kill()))),
      restart: async () => void (await Promise.all(brokers.map((broker) => broker.restart()))),
      cutSubscriptions: async () =>
        void (await Promise.all(urls.map((url) => redisCli(url, 'CLIENT', 'KILL', 'TYPE', 'pubsub')))),
    },
    presence: {
      open: async () => {
        const { presence, fanout: fanoutBeneath } = await open(() => {});
        return { presence, close: () => fanoutBeneath.close() };
      },
      elapse,
      isShared: true,
    },
    registry: {
      open: async () => {
        const { registry, fanout: fanoutBeneath } = await open(() => {});
        return { registry, close: () => fanoutBeneath.close() };
      },
      elapse,
    },
  };
}
