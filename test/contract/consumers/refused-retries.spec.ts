import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { redisCli } from '../../../scripts/brokers/redis.js';
import { RedisRetryStore } from '../../../src/bus/adapters/redis/retries/redis.retry-store.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { newMessageId } from '../../../src/message/index.js';
import { redisDriverOptions } from '../../../src/redis/index.js';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';
import { watchedProgress } from '../bus/watched-progress.js';
import { manyDeadLetters } from './dead-letter-limits.js';

describeWithOwn('redis', 'RedisRetryStore whose calls are refused', () => {
  let redis: RunningBroker;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.dispose());
  const cli = (...command: string[]) => redisCli(redis.url, ...command);

  it('reports the reason until its calls are accepted again, before and after a handler', async () => {
    await cli('ACL', 'SETUSER', 'app', 'on', '>secret', 'allkeys', 'allchannels', 'allcommands');
    const url = redis.url.replace('redis://', 'redis://app:secret@');
    const store = await RedisRetryStore.open(
      {
        ...redisDriverOptions.parse({ url, keyPrefix: randomUUID() }),
        ...manyDeadLetters,
        pollIntervalMs: 50,
        closeTimeoutMs: 3_000,
      },
      new BrokerStatus('redis'),
    );
    const watched = watchedProgress(300);
    const refuse = () => cli('ACL', 'SETUSER', 'app', '-eval', '-evalsha');
    const accept = () => cli('ACL', 'SETUSER', 'app', 'allcommands');
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const group = randomUUID();
    await store.consume(group, { concurrency: 1, progress: watched.progress }, async () => {
      entered.resolve();
      await release.promise;
      return { kind: 'handled' };
    });
    await refuse();
    expect(await watched.isDown()).toMatch(/^claiming due messages keeps failing: .*NOPERM/);
    await accept();
    await watched.isUp();

    const failed = { attempts: 1, givenUp: false, failure: { code: 'x', message: 'why' } };
    const origin = { group, driver: 'memory', topic: 't', partition: 0, position: '1' } as const;
    const content = { headers: {}, value: Buffer.from('v'), publishedAt: 1 };
    const record = {
      id: newMessageId(),
      state: 'waiting',
      dueAt: Date.now(),
      ...origin,
      ...content,
      ...failed,
    } as const;
    await store.add([record], 10);
    await entered.promise;
    await refuse();
    release.resolve();
    expect(await watched.isDown()).toMatch(/^(?:settling|claiming) due messages keeps failing: .*NOPERM/);
    await accept();
    await watched.isUp();
    await store.close();
    watched.progress.close();
  });
});
