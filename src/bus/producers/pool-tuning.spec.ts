import { describe, expect, it } from '@jest/globals';
import { busOptions } from '../bus.options.js';
import { tunedKafka, tunedPulsar, tunedRedis } from './pool-tuning.js';

const { kafka, pulsar, redis } = busOptions.parse({
  drivers: {
    kafka: { brokers: ['a:9092'] },
    pulsar: { serviceUrl: 'http://a' },
    redis: { url: 'redis://a' },
  },
}).drivers;

describe('A pool', () => {
  it('without settings leaves the options of the driver unchanged', () => {
    expect(tunedKafka(kafka!, {})).toEqual(kafka);
    expect(tunedPulsar(pulsar!, {})).toEqual(pulsar);
    expect(tunedRedis(redis!, {})).toEqual(redis);
  });

  it('sets the time-outs and the heartbeat in the options of each driver', () => {
    const tuning = { connectTimeoutMs: 111, waitTimeoutMs: 222, heartbeatMs: 5_000 };
    expect(tunedKafka(kafka!, tuning)).toEqual({
      ...kafka,
      connectTimeoutMs: 111,
      sendTimeoutMs: 222,
      sessionTimeoutMs: 20_000,
    });
    expect(tunedPulsar(pulsar!, tuning)).toEqual({
      ...pulsar,
      connectTimeoutMs: 111,
      sendTimeoutMs: 222,
      pingIntervalMs: 5_000,
    });
    expect(tunedRedis(redis!, tuning)).toEqual({
      ...redis,
      connectTimeoutMs: 111,
      commandTimeoutMs: 222,
      streams: { ...redis!.streams, heartbeatIntervalMs: 5_000, leaseMs: 15_000 },
    });
  });

  it('of producers checks its connections in the interval of the heartbeat', () => {
    const tuning = { checkIntervalMs: 700 };
    expect(tunedKafka(kafka!, tuning)).toEqual({ ...kafka, checkIntervalMs: 700 });
    expect(tunedPulsar(pulsar!, tuning)).toEqual({ ...pulsar, pingIntervalMs: 700 });
    expect(tunedRedis(redis!, tuning)).toEqual({ ...redis, keepAliveIntervalMs: 700 });
  });

  it('with a shorter heartbeat does not shorten the lease', () => {
    expect(tunedRedis(redis!, { heartbeatMs: 100 }).streams.leaseMs).toBe(redis!.streams.leaseMs);
  });
});
