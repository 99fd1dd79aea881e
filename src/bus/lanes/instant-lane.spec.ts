import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerStatus } from '../../metrics/index.js';
import { MemoryBus } from '../adapters/memory/memory.bus.js';
import { memoryBusOptions } from '../adapters/memory/memory.options.js';
import { ProgressWatch } from '../progress-watch.js';
import { EventLog } from '../../../test/support/event-log.js';
import { InstantLane, type UndeliverableListener } from './instant-lane.js';
import { instantLaneOptions } from './instant-lane.options.js';
import { type Message, newMessageId } from '../../message/index.js';

describe('InstantLane', () => {
  let bus: MemoryBus;
  beforeEach(() => {
    const options = memoryBusOptions.parse({ partitions: 1, retryInitialDelayMs: 1 });
    bus = new MemoryBus(options, new BrokerStatus('memory (instant lane)'));
  });
  afterEach(() => bus.close());

  const laneOf = (options: object = {}, listener?: UndeliverableListener) =>
    new InstantLane(bus, instantLaneOptions.parse(options), listener);
  const messageTo = (channel: string, body: string, more: Partial<Message> = {}): Message => ({
    id: newMessageId(),
    channel,
    data: Buffer.from(body),
    format: 'binary',
    createdAt: Date.now(),
    ...more,
  });
  const collect = (count: number) => {
    const seen: string[] = [];
    const all = Promise.withResolvers<string[]>();
    return {
      seen,
      all: all.promise,
      add: (message: Message) => {
        seen.push(message.data.toString());
        if (seen.length === count) all.resolve(seen);
      },
    };
  };

  it('delivers messages, including those that were published before the first consumer', async () => {
    const lane = laneOf();
    const early = messageTo('news', '1', { name: 'greeting', tags: { lang: 'de' }, expiresAt: 1 });
    await lane.publish([early]);
    const received = Promise.withResolvers<Message>();
    await lane.consume(async (message) => received.resolve(message));
    expect(await received.promise).toEqual(early);
  });

  it('keeps the order of a channel, and a slow channel does not delay others', async () => {
    const lane = laneOf({ batchSize: 10 });
    const release = Promise.withResolvers<void>();
    const { add, all, seen } = collect(4);
    const passed = Promise.withResolvers<void>();
    await lane.publish([
      messageTo('slow', 's1'),
      messageTo('fast', 'f1'),
      messageTo('slow', 's2'),
      messageTo('fast', 'f2'),
    ]);
    await lane.consume(async (message) => {
      if (message.data.toString() === 's1') await release.promise;
      add(message);
      if (message.data.toString() === 'f2') passed.resolve();
    });
    await passed.promise;
    expect(seen).toEqual(['f1', 'f2']);
    release.resolve();
    expect(await all).toEqual(['f1', 'f2', 's1', 's2']);
  });

  it('keeps the order of a key across channels', async () => {
    const lane = laneOf({ batchSize: 10 });
    const { add, all } = collect(3);
    await lane.publish(['1', '2', '3'].map((body) => messageTo(`c${body}`, body, { key: 'k' })));
    await lane.consume(async (message) => {
      if (message.data.toString() === '1') await new Promise((resolve) => setImmediate(resolve));
      add(message);
    });
    expect(await all).toEqual(['1', '2', '3']);
  });

  it('delivers a batch again only after all its handlers have ended', async () => {
    const lane = laneOf({ batchSize: 10 });
    let atWork = 0;
    let overlaps = 0;
    let failed = false;
    const { add, all } = collect(3);
    await lane.publish([messageTo('a', 'a'), messageTo('b', 'b')]);
    await lane.consume(async (message) => {
      if (message.channel === 'a' && !failed) {
        failed = true;
        throw new Error('not now');
      }
      if (message.channel === 'b' && atWork++ > 0) overlaps++;
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (message.channel === 'b') atWork--;
      add(message);
    });
    expect(await all).toEqual(['b', 'a', 'b']);
    expect(overlaps).toBe(0);
  });

  it('skips and reports records that it cannot decode', async () => {
    const skipped: string[] = [];
    const lane = laneOf({}, ({ position }, error) => skipped.push(`${position} ${error.code}`));
    const { add, all } = collect(1);
    await bus.publish('carillon.instant', [
      { value: Buffer.from('foreign') },
      { headers: { 'carillon-version': '9' }, value: Buffer.from('future') },
    ]);
    await lane.publish([messageTo('news', 'mine')]);
    await lane.consume(async (message) => add(message));
    expect(await all).toEqual(['mine']);
    expect(skipped).toEqual(['0 record_undeliverable', '1 record_undeliverable']);
  });

  it('is not ready while a record keeps failing, and ready again when it is delivered', async () => {
    const changes = new EventLog<string>();
    const status = () =>
      new BrokerStatus('lane', ({ state, reason }) => changes.add(`${state} ${reason ?? ''}`));
    const lane = new InstantLane(bus, instantLaneOptions.parse({}), undefined, new ProgressWatch(status, 50));
    let broken = true;
    await lane.consume(async () => {
      if (broken) throw new Error('the fan-out is down');
    });
    await lane.publish([messageTo('news', '1')]);
    await changes.atLeast(2);
    broken = false;
    await changes.atLeast(3);
    expect(changes.entries).toEqual([
      'up ',
      'down delivery of carillon.instant/0 keeps failing: the fan-out is down',
      'up ',
    ]);
  });

  it('delivers records of other programs if a rule says where their channel is', async () => {
    const lane = laneOf({ foreignRecords: { from: 'key' } });
    const received = Promise.withResolvers<Message>();
    await bus.publish('carillon.instant', [{ key: 'news', value: Buffer.from('{"a":1}') }]);
    await lane.consume(async (message) => received.resolve(message));
    expect(await received.promise).toMatchObject({ channel: 'news', format: 'json' });
  });
});
