/** A Redis at its memory limit can still be emptied, so that it has memory again. */
import { manyDeadLetters } from '../consumers/dead-letter-limits.js';
import { roomy } from '../schedule/schedule-limits.js';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { BrokerUnavailableError, type RetryRecord } from '../../../src/bus/index.js';
import { newMessageId } from '../../../src/message/index.js';
import { RedisLedger } from '../../../src/bus/adapters/redis/schedule/redis.ledger.js';
import { RedisRetryStore } from '../../../src/bus/adapters/redis/retries/redis.retry-store.js';
import type { RetryOutcome } from '../../../src/bus/retries/retry-store.port.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisDriverOptions } from '../../../src/redis/index.js';
import { redisCli } from '../../../scripts/brokers/redis.js';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';
import { open as openBus } from './redis-bus.open.js';
import { open as openSchedule } from '../schedule/redis-schedule.open.js';
import { messageIn } from '../schedule/scheduled-messages.js';

describeWithOwn('redis', 'Redis at its memory limit', () => {
  let redis: RunningBroker;
  let driver: { readonly url: string; readonly keyPrefix: string };
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.dispose());
  beforeEach(async () => {
    driver = { url: redis.url, keyPrefix: randomUUID() };
    await setLimit(0);
  });
  const setLimit = (bytes: number) => redisCli(redis.url, 'CONFIG', 'SET', 'maxmemory', String(bytes));
  const fill = () => setLimit(1);

  it('refuses further records, and delivers the stored ones to a new consumer', async () => {
    const streams = { leaseMs: 600 };
    const topic = randomUUID();
    const options = { topics: [topic], group: 'g', maxBatchSize: 20, concurrency: 8 };
    const producer = await openBus({ driver, streams });
    await (await producer.subscribe(options, async () => {})).close();
    const records = Array.from({ length: 400 }, () => ({ key: 'k', value: Buffer.from('x') }));
    await producer.publish(topic, records);
    await fill();
    await expect(producer.publish(topic, records)).rejects.toBeInstanceOf(BrokerUnavailableError);

    const consumer = await openBus({ driver, streams });
    const all = Promise.withResolvers<void>();
    let handled = 0;
    // Takes longer in total than a lease that is not extended.
    await consumer.subscribe(options, async (batch) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      handled += batch.length;
      if (handled === records.length) all.resolve();
    });
    await all.promise;
    await consumer.close();
    expect(handled).toBe(records.length);
    expect((await producer.lag('g', [topic])).map((partition) => partition.records)).toEqual(
      Array.from({ length: 8 }, () => 0),
    );
    await producer.close();
  });

  it('hands over delayed messages, also after the handler rejected them', async () => {
    const schedule = await openSchedule(driver);
    await schedule.add(messageIn(300));
    await fill();
    await expect(schedule.add(messageIn(0))).rejects.toBeInstanceOf(BrokerUnavailableError);
    const handled = Promise.withResolvers<void>();
    let attempts = 0;
    await schedule.consume({ concurrency: 1 }, async () => {
      if (++attempts < 3) throw new Error('not yet');
      handled.resolve();
    });
    await handled.promise;
    await schedule.close();
    expect(await redisCli(redis.url, 'KEYS', `{${driver.keyPrefix}*message`)).toBe('');
  });

  it('lets the ledger claim delayed messages of Pulsar', async () => {
    const options = { ...redisDriverOptions.parse(driver), ...roomy, leaseMs: 10_000, rememberMs: 60_000 };
    const ledger = await RedisLedger.open(options, new BrokerStatus('ledger'));
    const message = messageIn(0);
    await ledger.record(message);
    await ledger.confirm(message.id);
    await fill();
    for (const id of [message.id, newMessageId()]) {
      for (let round = 0; round < 2; round++) {
        const claim = await ledger.claim(id, randomUUID());
        if (claim.outcome !== 'claimed') throw new Error(claim.outcome);
        await ledger.extend(id, claim.lease);
        await ledger.release(id, claim.lease);
      }
      await ledger.settle(id);
      expect(await ledger.claim(id, randomUUID())).toEqual({ outcome: 'gone' });
    }
    await ledger.close();
  });

  it('lets failed records be retried and dead-lettered', async () => {
    const retryStore = await RedisRetryStore.open(
      { ...redisDriverOptions.parse(driver), ...manyDeadLetters, pollIntervalMs: 20, closeTimeoutMs: 1_000 },
      new BrokerStatus('redis'),
    );
    const record: RetryRecord = {
      id: newMessageId(),
      group: 'g',
      driver: 'redis',
      topic: 't',
      partition: 0,
      position: '0',
      headers: {},
      value: Buffer.from('x'),
      publishedAt: 0,
      state: 'waiting',
      dueAt: 0,
      attempts: 0,
      givenUp: false,
    };
    await retryStore.add([record], 10);
    await fill();
    const failure = { code: 'c', message: 'm' };
    const again: RetryOutcome = {
      kind: 'retry',
      dueAt: 0,
      attempts: 1,
      failure,
      failedAt: 1,
      givenUp: false,
    };
    const outcomes: RetryOutcome[] = [again, { kind: 'dead' }];
    const consumer = await retryStore.consume('g', { concurrency: 1 }, async () => outcomes.shift()!);
    let state;
    do state = (await retryStore.find(record.id))?.state;
    while (state !== 'dead');
    expect(outcomes).toEqual([]);
    await consumer.close();
    await retryStore.close();
  });
});
