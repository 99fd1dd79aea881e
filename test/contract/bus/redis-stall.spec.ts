/** What a Redis that stops for a while costs: the time for which it stops, and not a lease as well. */
import { manyDeadLetters } from '../consumers/dead-letter-limits.js';
import { roomy } from '../schedule/schedule-limits.js';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { RedisRetryStore } from '../../../src/bus/adapters/redis/retries/redis.retry-store.js';
import { RedisLedger } from '../../../src/bus/adapters/redis/schedule/redis.ledger.js';
import { BrokerUnavailableError, type RetryRecord } from '../../../src/bus/index.js';
import { newMessageId } from '../../../src/message/index.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { redisDriverOptions } from '../../../src/redis/index.js';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';
import { EventLog } from '../../support/event-log.js';
import { HandOvers } from '../schedule/hand-overs.js';
import { open as openSchedule } from '../schedule/redis-schedule.open.js';
import { messageIn } from '../schedule/scheduled-messages.js';

/** Longer than any test: whatever waits for a lease fails. */
const leaseMs = 600_000;
const STALL_MS = 5_000;
/** From the end of a stall until the connection works again and what is due is claimed. */
const RESUMED_WITHIN_MS = 3_000;

describeWithOwn('redis', 'a Redis that stops for 5 s', () => {
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.dispose());

  const driver = () =>
    redisDriverOptions.parse({ url: redis.url, keyPrefix: randomUUID(), commandTimeoutMs: 1_500 });
  /** Resolves at the end of the stall. */
  const stall = async (): Promise<number> => {
    redis.freeze();
    await delay(STALL_MS);
    redis.thaw();
    return Date.now();
  };

  it('delays the messages that are due meanwhile by no more than that', async () => {
    const { url, keyPrefix, commandTimeoutMs } = driver();
    const schedule = await openSchedule({ url, keyPrefix, commandTimeoutMs, leaseMs });
    const handOvers = new HandOvers();
    await schedule.consume({ concurrency: 64 }, async (each) => {
      handOvers.start(each);
      handOvers.end(each);
    });
    const messages = [300, 1_500, 4_500].map((ms) => messageIn(ms));
    for (const message of messages) await schedule.add(message);
    const resumedAt = await stall();
    await handOvers.completed(messages.length);
    expect(Date.now() - resumedAt).toBeLessThan(RESUMED_WITHIN_MS);
    expect(handOvers.ids().toSorted()).toEqual(messages.map(({ id }) => id).toSorted());
    await schedule.close();
  });

  it('returns its lease to a claim that timed out and is repeated', async () => {
    const ledger = await RedisLedger.open(
      { ...driver(), ...roomy, leaseMs, rememberMs: leaseMs },
      new BrokerStatus('ledger'),
    );
    const { id, ...message } = messageIn(0);
    await ledger.record({ id, ...message });
    const stalled = stall();
    const token = randomUUID();
    await expect(ledger.claim(id, token)).rejects.toBeInstanceOf(BrokerUnavailableError);
    await stalled;
    const claim = await untilDone(() => ledger.claim(id, token));
    expect(claim.outcome).toBe('claimed');
    expect(await ledger.claim(id, randomUUID())).toMatchObject({ outcome: 'leased' });
    expect(await ledger.claim(id, token)).toEqual(claim);
    await ledger.close();
  });

  it('delays retries that are due meanwhile by no more than that', async () => {
    const store = await RedisRetryStore.open(
      { ...driver(), ...manyDeadLetters, leaseMs, pollIntervalMs: 50, closeTimeoutMs: 1_000 },
      new BrokerStatus('retries'),
    );
    const tried = new EventLog<RetryRecord>();
    const group = randomUUID();
    await store.consume(group, { concurrency: 2 }, async (record) => {
      tried.add(record);
      return { kind: 'handled' };
    });
    const record = waiting(group, 1_000);
    await store.add([record], 10);
    const resumedAt = await stall();
    await tried.until((records) => records.some(({ id }) => id === record.id));
    expect(Date.now() - resumedAt).toBeLessThan(RESUMED_WITHIN_MS);
    await store.close();
  });
});

function waiting(group: string, inMs: number): RetryRecord {
  const now = Date.now();
  return {
    id: newMessageId(),
    group,
    driver: 'memory',
    topic: 't',
    partition: 0,
    position: '1',
    headers: {},
    value: Buffer.from('1'),
    publishedAt: now,
    state: 'waiting',
    dueAt: now + inMs,
    attempts: 1,
    givenUp: false,
    firstFailedAt: now,
    lastFailedAt: now,
    failure: { code: 'once', message: 'once' },
  };
}

async function untilDone<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await delay(20);
    }
  }
}
