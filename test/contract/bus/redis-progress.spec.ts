import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Bus } from '../../../src/bus/index.js';
import { redisCli } from '../../../scripts/brokers/redis.js';
import { describeWith, sharedBroker } from '../../support/brokers.js';
import { watchedProgress, type WatchedProgress } from './watched-progress.js';
import { open } from './redis-bus.open.js';

describeWith('redis', 'The progress of a Redis subscription', () => {
  let url: string;
  let topic: string;
  let group: string;
  let watched: WatchedProgress;
  const buses: Bus[] = [];
  beforeAll(async () => {
    ({ url } = await sharedBroker('redis'));
  });
  beforeEach(() => {
    [topic, group] = [randomUUID(), randomUUID()];
    watched = watchedProgress(300);
  });
  afterEach(async () => {
    watched.progress.close();
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
  });

  const openBus = async (): Promise<Bus> => {
    const streams = { partitions: 1, streamName: '<topic>:<partition>' };
    const bus = await open({ driver: { url, keyPrefix: topic, commandTimeoutMs: 3_000 }, streams });
    buses.push(bus);
    return bus;
  };
  const redis = (...command: string[]) => redisCli(url, ...command);

  it('is down with the reason while Redis refuses the heartbeat, and up when it does not', async () => {
    const bus = await openBus();
    await redis('SET', `${topic}:0`, 'of another type');
    await bus.subscribe({ topics: [topic], group, progress: watched.progress }, async () => {});
    expect(await watched.isDown()).toMatch(
      new RegExp(`^heartbeat of the consumer group ${group} keeps failing: .*WRONGTYPE`),
    );
    await redis('DEL', `${topic}:0`);
    await watched.isUp();
  });

  it('is down with the reason while records cannot be read, and up when they can', async () => {
    const bus = await openBus();
    await bus.subscribe({ topics: [topic], group, progress: watched.progress }, async () => {});
    await redis('SET', `${topic}:0`, 'of another type');
    // The idle reader does not notice before its call that waits for records has ended.
    expect(await watched.isDown()).toMatch(/^(reading from|heartbeat of) .* keeps failing: .*WRONGTYPE/);
    await redis('DEL', `${topic}:0`);
    await watched.isUp();
  });

  it('is down while a handler does not return, and up when it does', async () => {
    const [reader, other] = [await openBus(), await openBus()];
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    await reader.subscribe({ topics: [topic], group, from: 'earliest' }, async () => {
      entered.resolve();
      await release.promise;
    });
    const records = [{ value: Buffer.from('1') }, { value: Buffer.from('2') }];
    await other.publish(topic, records);
    await entered.promise;
    const stuck = { topic, partition: 0, records: 2, acknowledged: '0', hasReader: true };
    expect(await reader.lag(group, [topic])).toEqual([{ ...stuck, isAssigned: true }]);
    expect(await other.lag(group, [topic])).toEqual([stuck]);
    const measure = async () => watched.progress.measured(await reader.lag(group, [topic]));
    expect(await watched.isDown(measure)).toBe(`the backlog of ${topic}/0 does not move: 2 record(s) wait`);
    release.resolve();
    await watched.isUp(measure);
    await other.publish(topic, records);
    await watched.until(async () => (await reader.lag(group, [topic]))[0]!.acknowledged === '4');
  });

  it('does not judge a partition that another member reads', async () => {
    const [reader, other] = [await openBus(), await openBus()];
    await reader.subscribe({ topics: [topic], group, from: 'earliest' }, async () => {});
    await other.subscribe({ topics: [topic], group, from: 'earliest' }, async () => {});
    const assigned = async () =>
      (await Promise.all([reader, other].map((bus) => bus.lag(group, [topic])))).flat();
    // The members have to agree first who has the partition.
    await watched.until(async () => (await assigned()).filter((lag) => lag.isAssigned).length === 1);
    expect((await assigned()).map((lag) => String(lag.isAssigned)).toSorted()).toEqual(['false', 'true']);
  });
});
