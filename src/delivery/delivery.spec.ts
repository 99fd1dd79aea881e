import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { register } from 'prom-client';
import { BrokerUnavailableError } from '../bus/index.js';
import type { Message } from '../message/index.js';
import { LocalFanout } from './adapters/memory/local.fanout.js';
import { MemoryHistory } from './adapters/memory/memory.history.js';
import { ChannelHistory } from './history/channel-history.js';
import { ChannelRules } from './channels/channel-rules.js';
import { Deduplication } from './deduplication/deduplication.js';
import { deliveryInstruments, DeliveryMetrics } from './delivery.metrics.js';
import { Delivery } from './delivery.js';
import { deliveryOptions } from './delivery.options.js';
import type { Fanout } from './fanout.port.js';
import { Publication } from './publications/publication.js';
import type { PublishOptions } from './publications/publish-options.js';
import { Dispatcher } from './subscribers/dispatcher.js';
import { Subscribers } from './subscribers/subscribers.js';

const message = (over: Partial<Message> = {}): Message => ({
  id: 'm1',
  channel: 'a',
  data: Buffer.from('{"id":"Hello"}'),
  format: 'json',
  createdAt: 5,
  ...over,
});

const channels = {
  namespaces: [
    { name: 'kept', historySize: 3, historyTtlMs: 60_000 },
    { name: 'delta', historySize: 3, historyTtlMs: 60_000, deltaPublish: true },
  ],
};

describe('Delivery', () => {
  let delivery: Delivery;
  let metrics: DeliveryMetrics;
  let subscribers: Subscribers;
  let history: MemoryHistory;
  let received: Publication[];
  let now: number;
  const subscriber = { receive: (publication: Publication) => void received.push(publication) };

  beforeEach(async () => {
    register.clear();
    received = [];
    now = Date.now();
    const providers = [DeliveryMetrics, ...deliveryInstruments];
    metrics = (await Test.createTestingModule({ providers }).compile()).get(DeliveryMetrics);
    subscribers = new Subscribers((fault) => {
      throw fault;
    });
    const deduplication = new Deduplication({ windowMs: 1_000, maxEntries: 1_000 });
    const dispatcher = new Dispatcher(subscribers, deduplication, metrics, () => now);
    delivery = deliveryOver(new LocalFanout((publication) => dispatcher.dispatch(publication)));
  });
  afterEach(() => history.close());

  const deliveryOver = (fanout: Fanout) => {
    const options = deliveryOptions.parse({ channels });
    history = new MemoryHistory(fanout, { maxBytes: 1_000_000, maxChannels: 1_000, maxKeys: 1_000 });
    const state = new ChannelHistory(history, new ChannelRules(options.channels), options);
    return new Delivery(fanout, state, subscribers, metrics);
  };

  const outcomes = async () => {
    const metric = await register.getSingleMetric('carillon_delivery_messages_total')!.get();
    return metric.values.filter(({ value }) => value > 0).map(({ labels, value }) => ({ ...labels, value }));
  };

  it('has delivered a publication to local subscribers when it returns', async () => {
    await delivery.attach('a', subscriber);
    const published = delivery.publish(message({ dueAt: 7 }), 'delayed');
    const data = Buffer.from('{"id":"Hello"}');
    expect(received).toEqual([
      new Publication({
        channel: 'a',
        data,
        format: 'json',
        id: 'm1',
        createdAt: 5,
        dueAt: 7,
        lane: 'delayed',
      }),
    ]);
    await published;
    expect(await outcomes()).toEqual([{ lane: 'delayed', outcome: 'delivered', value: 1 }]);
  });

  it('delivers a message once, even if it arrives by several paths', async () => {
    await delivery.attach('a', subscriber);
    await delivery.publish(message(), 'direct');
    await delivery.publish(message(), 'instant');
    await delivery.publish(message({ channel: 'b' }), 'instant');
    expect(received.map(({ lane }) => lane)).toEqual(['direct']);
    expect(await outcomes()).toEqual([
      { lane: 'direct', outcome: 'delivered', value: 1 },
      { lane: 'instant', outcome: 'duplicate', value: 1 },
      { lane: 'instant', outcome: 'no_subscriber', value: 1 },
    ]);
  });

  it('does not deduplicate messages without an id', async () => {
    const { id: _, ...anonymous } = message({ channel: 'kept:a' });
    await delivery.attach('kept:a', subscriber);
    await delivery.publish(anonymous, 'direct');
    await delivery.publish(anonymous, 'direct');
    expect(received.map(({ id, offset }) => ({ id, offset }))).toEqual([
      { id: undefined, offset: 1 },
      { id: undefined, offset: 2 },
    ]);
  });

  it('adds an id if the fan-out may repeat the message', async () => {
    const published: Publication[] = [];
    const fanout: Fanout = {
      repeats: true,
      publish: async (publication) => void published.push(publication),
      subscribe: async () => {},
      unsubscribe: () => {},
      close: async () => {},
    };
    const { id: _, ...anonymous } = message();
    await deliveryOver(fanout).publish(anonymous, 'direct');
    expect(published[0]!.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7/);
  });

  it('delivers a second copy to a client that subscribed after the first', async () => {
    await delivery.publish(message(), 'direct');
    await delivery.attach('a', subscriber);
    await delivery.publish(message(), 'instant');
    expect(received).toHaveLength(1);
  });

  it('drops expired messages before and after the fan-out', async () => {
    await delivery.attach('a', subscriber);
    await delivery.publish(message({ expiresAt: now - 1 }), 'delayed');
    now += 20_000; // as for a publication that was in a stream for a while
    await delivery.publish(message({ expiresAt: now - 1 }), 'instant');
    expect(received).toEqual([]);
    expect(await outcomes()).toEqual([
      { lane: 'delayed', outcome: 'expired', value: 1 },
      { lane: 'instant', outcome: 'expired', value: 1 },
    ]);
  });

  it('attaches and detaches a subscriber once', async () => {
    await Promise.all([delivery.attach('a', subscriber), delivery.attach('a', subscriber)]);
    expect([subscribers.publicChannelCount, subscribers.publicAttachmentCount]).toEqual([1, 1]);
    await delivery.publish(message(), 'direct');
    expect(received).toHaveLength(1);
    delivery.detach('a', subscriber);
    delivery.detach('a', subscriber);
    expect([subscribers.publicChannelCount, subscribers.publicAttachmentCount]).toEqual([0, 0]);
  });

  it('stores messages as the options of the channel say, and returns their positions', async () => {
    await delivery.attach('kept:a', subscriber);
    const kept = message({ channel: 'kept:a', tags: { lang: 'de' } });
    const position = await delivery.publish(kept, 'instant');
    expect(position).toEqual({ offset: 1, epoch: expect.any(String) });
    expect(received).toMatchObject([{ ...position, tags: { lang: 'de' }, delta: false }]);
    const page = await delivery.history('kept:a', { limit: -1 });
    expect(page).toMatchObject({ ...position, publications: [{ offset: 1, id: 'm1', data: kept.data }] });
    await delivery.removeHistory('kept:a');
    expect((await delivery.history('kept:a', { limit: -1 })).publications).toEqual([]);
    for (const channel of ['a', 'unknown:a', '~user:u', 'ü'])
      expect(await delivery.publish(message({ channel }), 'instant')).toBeUndefined();
  });

  it('gives one position to a message that a lane delivers again', async () => {
    await delivery.attach('kept:a', subscriber);
    const first = await delivery.publish(message({ channel: 'kept:a' }), 'direct');
    const again = await delivery.publish(message({ channel: 'kept:a' }), 'instant');
    expect(again).toEqual(first);
    const next = await delivery.publish(message({ channel: 'kept:a', id: 'm2' }), 'instant');
    expect(next!.offset).toBe(2);
    expect(received.map(({ offset }) => offset)).toEqual([1, 2]);
  });

  it('applies the publish options, and otherwise those of the channel', async () => {
    const channel = 'delta:a';
    await delivery.attach(channel, subscriber);
    const info = { user: 'u', client: 'c' };
    const publish = (id: string, options: PublishOptions) =>
      delivery.publish(message({ channel, id }), 'direct', options);
    await publish('1', { info });
    await publish('2', { delta: false });
    await publish('3', { delta: true, info });
    await publish('4', { skipHistory: true });
    await publish('5', { version: 9, versionEpoch: 'e' });
    await publish('6', { version: 9, versionEpoch: 'e' });
    await publish('7', { idempotencyKey: 'k' });
    await publish('8', { idempotencyKey: 'k' });
    expect(
      received.map(({ id, offset, delta, previous }) => [id, offset, delta, previous !== undefined]),
    ).toEqual([
      ['1', 1, true, false],
      ['2', 2, false, false],
      ['3', 3, true, true],
      ['4', 0, false, false],
      ['5', 4, true, true],
      ['7', 5, true, true],
    ]);
    expect(received.map((each) => each.info)).toEqual([
      info,
      undefined,
      info,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('stores a message if its publisher requests it', async () => {
    const options = { history: { size: 1, ttlMs: 1_000, metaTtlMs: 1_000 } };
    expect(await delivery.publish(message(), 'direct', options)).toMatchObject({ offset: 1 });
    expect((await delivery.history('a', { limit: -1 })).publications).toHaveLength(1);
  });

  it('sends one of several messages with the same key, even without a history', async () => {
    await delivery.attach('a', subscriber);
    for (const id of ['m1', 'm2'])
      expect(await delivery.publish(message({ id }), 'direct', { idempotencyKey: 'k' })).toBeUndefined();
    expect(received.map(({ id }) => id)).toEqual(['m1']);
  });

  it('delivers an expired message that is in the history, so that there is no gap', async () => {
    await delivery.attach('kept:a', subscriber);
    now += 20_000;
    await delivery.publish(message({ channel: 'kept:a', expiresAt: now - 1 }), 'instant');
    expect(received.map(({ offset }) => offset)).toEqual([1]);
  });

  it('notifies subscribers that listen for joins and leaves', async () => {
    const info = { user: 'u', client: 'c' };
    const events: unknown[] = [];
    await delivery.attach('a', subscriber);
    await delivery.attach('a', {
      receive: () => {},
      receiveJoin: (...join) => void events.push(['join', ...join]),
      receiveLeave: (...leave) => void events.push(['leave', ...leave]),
    });
    await delivery.publishJoin('a', info);
    await delivery.publishLeave('a', info);
    expect(events).toEqual([
      ['join', info, 'a'],
      ['leave', info, 'a'],
    ]);
    expect(received).toEqual([]);
    expect(await outcomes()).toEqual([]);
  });

  it('shares one read among many callers that want the same position', async () => {
    const read = jest.spyOn(history, 'read');
    const asked = Array.from({ length: 10 }, () => delivery.history('kept:a', { limit: 0 }));
    expect(new Set((await Promise.all(asked)).map(({ epoch }) => epoch)).size).toBe(1);
    expect(read).toHaveBeenCalledTimes(1);
    await delivery.history('kept:a', { limit: 0 });
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('counts rejections of the fan-out, and passes the error on', async () => {
    const unavailable = deliveryOver(new FanoutWithoutStore());
    await expect(unavailable.publish(message(), 'instant')).rejects.toThrow(BrokerUnavailableError);
    const errors = await register.getSingleMetric('carillon_fanout_publish_errors_total')!.get();
    expect(errors.values).toContainEqual({ labels: { lane: 'instant' }, value: 1 });
  });
});

class FanoutWithoutStore extends LocalFanout {
  constructor() {
    super(() => {});
  }

  override publish(): Promise<void> {
    return Promise.reject(new BrokerUnavailableError('redis', 'it is unavailable'));
  }
}
