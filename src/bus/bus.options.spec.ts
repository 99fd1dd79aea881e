import { describe, expect, it } from '@jest/globals';
import { completeOptions } from './bus.module-definition.js';
import { busOptions } from './bus.options.js';

const kafka = { brokers: ['a:1'] };

describe('busOptions', () => {
  it.each([
    [{ defaultDriver: 'pulsar' }, /drivers\.pulsar/],
    [{ retries: { store: 'redis' } }, /drivers\.redis/],
    [{ modules: { task: { driver: 'pulsar' } } }, /drivers\.pulsar/],
    [{ modules: { task: { consumers: { daily: { driver: 'redis' } } } } }, /drivers\.redis/],
    [{ modules: { task: { pools: { pulsar: {} } } } }, /drivers\.pulsar/],
    [{ producers: { kafka: { minConnections: 3, maxConnections: 2 } } }, /maxConnections/],
    [{ producers: { redis: { pool: 'b' } } }, /redisPools\.b/],
    [{ modules: { task: { pools: { kafka: { minConnections: 2 } } } } }, /maxConnections/],
    [{ modules: { task: { pools: { memory: {} } } } }, /memory/],
  ])('refuse options that contradict each other: %j', (options, reason) => {
    const { error } = busOptions.safeParse({ drivers: { kafka }, ...options });
    expect(error?.message).toMatch(reason);
  });
});

describe('completeOptions', () => {
  const drivers = { redis: { url: 'redis://a' } };

  it('takes the former name of the retries', () => {
    expect(completeOptions({ drivers, parked: { store: 'redis' } }).retries.store).toBe('redis');
  });

  it('prefers the present name to the former one', () => {
    const both = { drivers, parked: { store: 'redis' }, retries: { store: 'sqlite' } } as const;
    expect(completeOptions(both).retries.store).toBe('sqlite');
  });
});
