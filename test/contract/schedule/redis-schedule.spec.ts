import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../src/bus/index.js';
import { newMessageId, type ScheduledMessage } from '../../../src/message/index.js';
import { closeRedis, openRedis, redisDriverOptions } from '../../../src/redis/index.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import {
  describeWithOwn,
  type RunningBroker,
  type RunningRedisCluster,
  startRedis,
  startRedisCluster,
} from '../../support/brokers.js';
import { timeTaken } from '../../support/time-taken.js';
import { HandOvers } from './hand-overs.js';
import { leaseMs, open } from './redis-schedule.open.js';
import { describeSchedule, type ScheduleSubject } from './schedule.contract.js';

const traits = { storeHasClock: true, leaseMs };
const module = './redis-schedule.open.ts';

describeWithOwn('redis', 'on one server', () => {
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis({ appendOnly: true });
  });
  afterAll(() => redis.dispose());

  describeSchedule(
    'RedisSchedule',
    async (clock) => {
      const options = { url: redis.url, keyPrefix: `test-${randomUUID()}` };
      return {
        ...(await subjectOf(options, clock)),
        store: { stop: () => redis.kill(), start: () => redis.restart() },
      };
    },
    traits,
  );

  it('rejects in bounded time if the server is connected but does not reply', async () => {
    const status = new BrokerStatus('redis');
    const options = { url: redis.url, keyPrefix: randomUUID(), commandTimeoutMs: 1_500 };
    const schedule = await open(options, status);
    redis.freeze();
    try {
      const rejects = () => expect(schedule.add(message())).rejects.toBeInstanceOf(BrokerUnavailableError);
      expect(await timeTaken(rejects)).toBeLessThan(2_000);
    } finally {
      redis.thaw();
    }
    await untilDone(() => schedule.add(message()));
    expect(status.state).toBe('up');
    await schedule.close();
  });

  it('does not hand a message over twice if its lease expires during an outage', async () => {
    const schedule = await open({ url: redis.url, keyPrefix: randomUUID(), leaseMs: 100 });
    const handOvers = new HandOvers();
    const done = Promise.withResolvers<void>();
    await schedule.consume({ concurrency: 2 }, async (each) => {
      handOvers.start(each);
      if (handOvers.all.length === 1) await done.promise;
      handOvers.end(each);
    });
    const [first, next, last] = [message(), message(), message()];
    await schedule.add(first);
    await handOvers.started(1);
    await redis.kill();
    await redis.restart();
    await untilDone(() => schedule.add(next));
    await handOvers.completed(1);
    done.resolve();
    await handOvers.completed(2);
    await schedule.add(last);
    await handOvers.completed(3);
    expect(handOvers.ids()).toEqual([first.id, next.id, last.id]);
    await schedule.close();
  });

  it('continues after the scripts were flushed from the server', async () => {
    const schedule = await open({ url: redis.url, keyPrefix: randomUUID() });
    const operator = await openRedis(
      redisDriverOptions.parse({ url: redis.url }),
      new BrokerStatus('operator'),
    );
    const handOvers = new HandOvers();
    await schedule.consume({ concurrency: 1 }, async (each) => handOvers.start(each));
    await schedule.add(message());
    await handOvers.started(1);
    expect(await operator.call('SCRIPT', 'FLUSH')).toBe('OK');
    await schedule.add(message());
    await handOvers.started(2);
    await Promise.all([schedule.close(), closeRedis(operator)]);
  });

  it('deletes everything except the ids that it remembers', async () => {
    const keyPrefix = randomUUID();
    const schedule = await open({ url: redis.url, keyPrefix, rememberMs: 60_000 });
    const operator = await openRedis(
      redisDriverOptions.parse({ url: redis.url }),
      new BrokerStatus('operator'),
    );
    const handOvers = new HandOvers();
    let attempt = 0;
    await schedule.consume({ concurrency: 4 }, async (each) => {
      if (attempt++ === 0) throw new Error('once');
      handOvers.start(each);
    });
    const [handed, cancelled] = [message(), message(3_600_000)];
    await schedule.add(handed);
    await schedule.add(cancelled);
    await schedule.reschedule(cancelled.id, cancelled.dueAt + 1);
    await schedule.cancel(cancelled.id);
    await handOvers.started(1);
    await schedule.close();
    const keys = (await operator.call('KEYS', `*${keyPrefix}*`)) as string[];
    expect(keys.toSorted()).toEqual(
      [handed, cancelled].map(({ id }) => `{${keyPrefix}:schedule}:finished:${id}`).toSorted(),
    );
    for (const key of keys) expect(await operator.call('PTTL', key)).toBeGreaterThan(50_000);
    await closeRedis(operator);
  });
});

describeWithOwn('redis', 'on a Cluster', () => {
  let cluster: RunningRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.dispose());

  describeSchedule(
    'RedisSchedule',
    (clock) =>
      subjectOf(
        {
          url: 'redis://cluster',
          clusterNodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`),
          keyPrefix: `test-${randomUUID()}`,
        },
        clock,
      ),
    traits,
  );
});

async function subjectOf(options: object, clock: { now: () => number }): Promise<ScheduleSubject> {
  return {
    schedule: await open({ ...options, ...clock }),
    another: (its) => open({ ...options, ...its }),
    reopen: () => open(options),
    otherProcess: { options: { module, options }, takeOver: () => open(options) },
  };
}

function message(delayMs = 0): ScheduledMessage {
  const now = Date.now();
  return {
    id: newMessageId(),
    channel: 'c',
    data: Buffer.from('1'),
    format: 'json',
    createdAt: now,
    dueAt: now + delayMs,
  };
}

/** Repeats the attempt until it succeeds, without a pause of its own. */
async function untilDone(attempt: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await attempt();
      return;
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
