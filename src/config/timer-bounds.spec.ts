import { describe, expect, it } from '@jest/globals';
import { completeOptions } from '../bus/bus.module-definition.js';
import { configSchema } from './schema.js';
import { settingsOf } from './settings.js';
import { setAt, type Tree } from './tree.js';

const TOO_LONG = 2 ** 31;
/** Stored, and never waited for. */
const stored = /(?:\.ttl|Ttl|\.maxDelay|\.maxStale)Ms$/;

const jwks = (tokens: string) => ({ [`${tokens}.jwks.endpoint`]: 'https://example.com/keys' });
const proxies = ['connect', 'refresh', 'subscribe', 'publish', 'subRefresh', 'rpc'].map(
  (step) => `gateway.client.proxies.${step}`,
);
/** Settings that need others, with those. */
const kinds: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'gateway.client.tokens.connection.jwks.': jwks('gateway.client.tokens.connection'),
  'gateway.client.tokens.subscription.jwks.': jwks('gateway.client.tokens.subscription'),
  'callbacks.tokens.connection.jwks.': jwks('callbacks.tokens.connection'),
  'callbacks.tokens.subscription.jwks.': jwks('callbacks.tokens.subscription'),
  ...Object.fromEntries(proxies.map((proxy) => [`${proxy}.`, { [`${proxy}.endpoint`]: 'http://backend' }])),
  'delivery.fanout.': { 'delivery.fanout.kind': 'redis', 'delivery.fanout.url': 'redis://127.0.0.1' },
  'bus.drivers.kafka.': { 'bus.drivers.kafka.brokers': ['127.0.0.1:9092'] },
  'bus.drivers.pulsar.': { 'bus.drivers.pulsar.serviceUrl': 'http://127.0.0.1' },
  'bus.drivers.redis.': { 'bus.drivers.redis.url': 'redis://127.0.0.1' },
};

function faultsOf(key: string): string[] {
  const tree: Tree = {};
  for (const [prefix, values] of Object.entries(kinds))
    if (key.startsWith(prefix))
      for (const [name, value] of Object.entries(values)) setAt(tree, name.split('.'), value);
  setAt(tree, key.split('.'), TOO_LONG);
  const { error } = configSchema.safeParse(tree);
  return (error?.issues ?? []).map(({ path }) => path.join('.'));
}

it('are refused for a bus that an application configures by itself', () => {
  expect(() => completeOptions({ lagIntervalMs: TOO_LONG })).toThrow(/too long[^]*lagIntervalMs/);
});

describe('durations that a timer waits for', () => {
  const durations = settingsOf(configSchema)
    .map(({ key }) => key)
    .filter((key) => key.endsWith('Ms'));

  it('are found', () => {
    expect(durations.length).toBeGreaterThan(80);
  });

  it.each(durations.filter((key) => !stored.test(key)))('%s is refused beyond 2³¹ − 1 ms', (key) => {
    expect(faultsOf(key)).toContain(key);
  });

  it.each(['trigger.maxDelayMs', 'delivery.channels.historyMetaTtlMs'])('%s may be longer', (key) => {
    expect(faultsOf(key)).toEqual([]);
  });
});
