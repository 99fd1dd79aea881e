import { describe, expect, it } from '@jest/globals';
import { completeOptions } from './bus.module-definition.js';
import { translateOriginalNames } from './original-names.js';

describe('The names of the original message bus', () => {
  const original = {
    default: {
      default_driver: 'kafka',
      kafka: {
        host: 'kafka-1:9092, kafka-2:9092',
        min_connections: 2,
        max_connections: 10,
        connect_timeout: 10,
        wait_timeout: 3.5,
        heartbeat: -1,
        max_idle_time: 60,
      },
      redis: { pool: 'orders', heartbeat: 5 },
    },
    redisPools: { orders: { url: 'redis://orders:6379' } },
    modules: {
      task: {
        consume_num: 100,
        consumer_interval: 0.5,
        drivers: { redis: { pool: 'orders', max_connections: 4, consume_num: 20 } },
        consumers: { daily: { nums: 4, restart_interval: 7 } },
      },
    },
  };

  it('have the meaning that they had: durations are seconds', () => {
    const options = completeOptions(original as never);
    expect(options.defaultDriver).toBe('kafka');
    expect(options.drivers.kafka?.brokers).toEqual(['kafka-1:9092', 'kafka-2:9092']);
    expect(options.producers.kafka).toEqual({
      minConnections: 2,
      maxConnections: 10,
      connectTimeoutMs: 10_000,
      waitTimeoutMs: 3_500,
      maxIdleMs: 60_000,
    });
    expect(options.producers.redis).toMatchObject({ pool: 'orders', heartbeatMs: 5_000 });
    expect(options.modules['task']).toMatchObject({
      batchSize: 100,
      takeEveryMs: 500,
      pools: { redis: { pool: 'orders', maxConnections: 4, batchSize: 20 } },
      consumers: { daily: { concurrency: 4, restartDelayMs: 7_000 } },
    });
  });

  it('are reported with the present names', () => {
    const { renamed } = translateOriginalNames(original);
    expect(Object.fromEntries(renamed)).toMatchObject({
      'default.default_driver': 'defaultDriver',
      'default.kafka': 'producers.kafka',
      'default.kafka.host': 'drivers.kafka.brokers',
      'modules.task.consume_num': 'modules.task.batchSize',
      'modules.task.drivers': 'modules.task.pools',
      'modules.task.consumers.daily.nums': 'modules.task.consumers.daily.concurrency',
    });
  });

  it('give way to a present name in the same section', () => {
    const given = { modules: { task: { consume_num: 100, batchSize: 3 } } };
    expect(completeOptions(given as never).modules['task']?.batchSize).toBe(3);
  });

  it.each([
    [{ modules: { task: { consume_number: 1 } } }, /consume_number/],
    [{ modules: { task: { pools: { kafka: { pool: 'x' } } } } }, /pool/],
    [{ producers: { kafka: { hosts: 'x' } } }, /hosts/],
    [{ modules: { task: { pools: { redis: { pool: 'absent' } } } } }, /redisPools\.absent is not configured/],
  ])('do not make an unknown one acceptable: %j', (given, reason) => {
    expect(() => completeOptions(given as never)).toThrow(reason);
  });
});
