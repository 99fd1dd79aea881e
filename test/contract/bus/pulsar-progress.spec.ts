import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Bus, SubscribeOptions } from '../../../src/bus/index.js';
import { type BrokerAddress, describeWith, sharedBroker } from '../../support/brokers.js';
import { EventLog } from '../../support/event-log.js';
import { PulsarProxy } from '../../support/pulsar-proxy.js';
import { sendNullValue } from '../../support/pulsar-null-value.js';
import { watchedProgress, type WatchedProgress } from './watched-progress.js';
import { open } from './pulsar-bus.open.js';

describeWith('pulsar', "The progress of a subscription over Pulsar's WebSocket API", () => {
  let pulsar: BrokerAddress;
  let subscription: SubscribeOptions & { readonly progress: WatchedProgress['progress'] };
  let topic: string;
  let group: string;
  let watched: WatchedProgress;
  const buses: Bus[] = [];
  beforeAll(async () => {
    pulsar = await sharedBroker('pulsar');
  });
  beforeEach(() => {
    [topic, group] = [randomUUID(), randomUUID()];
    watched = watchedProgress(500);
    subscription = { topics: [topic], group, from: 'earliest', progress: watched.progress };
  });
  afterEach(async () => {
    watched.progress.close();
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
  });

  const openBus = async (serviceUrl = pulsar.webUrl!): Promise<Bus> => {
    const bus = await open({ serviceUrl });
    buses.push(bus);
    return bus;
  };
  const records = (...bodies: string[]) => bodies.map((body) => ({ key: 'k', value: Buffer.from(body) }));
  const lagOf = async (bus: Bus) => (await bus.lag(group, [topic]))[0]!;

  // The proxy's handler fails, and asks for no further message. Nothing is closed, and no error is sent.
  it('is down behind a message without a value, which the API cannot deliver', async () => {
    const bus = await openBus();
    const received = new EventLog<string>();
    await bus.subscribe(subscription, async ([record]) => received.add(String(record?.value)));
    await bus.publish(topic, records('before'));
    await received.atLeast(1);
    await sendNullValue(pulsar.url, `persistent://public/default/${topic}`);
    await bus.publish(topic, records('behind'));
    const measure = async () => watched.progress.measured(await bus.lag(group, [topic]));
    expect(await watched.isDown(measure)).toBe(`the backlog of ${topic}/0 does not move: 2 record(s) wait`);
    expect(received.entries).toEqual(['before']);
  });

  it('is down while a handler does not return, and up when it does', async () => {
    const [reader, other] = [await openBus(), await openBus()];
    const release = Promise.withResolvers<void>();
    await reader.subscribe(subscription, () => release.promise);
    await other.publish(topic, records('1', '2'));
    const measure = async () => watched.progress.measured(await reader.lag(group, [topic]));
    expect(await watched.isDown(measure)).toBe(`the backlog of ${topic}/0 does not move: 2 record(s) wait`);
    const before = await lagOf(other);
    expect(before).not.toHaveProperty('isAssigned');
    release.resolve();
    await watched.isUp(measure);
    await watched.until(async () => (await lagOf(reader)).records === 0);
    expect(await lagOf(reader)).not.toHaveProperty('acknowledged', before.acknowledged);
  });

  it('does not judge a backlog that another member holds', async () => {
    const [reader, other] = [await openBus(), await openBus()];
    const holding = new EventLog<Bus>();
    const release = Promise.withResolvers<void>();
    for (const bus of [reader, other])
      await bus.subscribe(subscription, async () => {
        holding.add(bus);
        await release.promise;
      });
    await reader.publish(topic, records('1', '2'));
    const [holder] = await holding.atLeast(1);
    await watched.until(async () => (await lagOf(reader)).records === 2);
    const assigned = await Promise.all([reader, other].map(async (bus) => (await lagOf(bus)).isAssigned));
    expect(assigned).toEqual([reader === holder, other === holder]);
    release.resolve();
  });

  it('is down with the reason while the membership keeps ending', async () => {
    await using proxy = await PulsarProxy.open(pulsar.webUrl!);
    proxy.closesConsumers = true;
    const bus = await openBus(proxy.url);
    await bus.subscribe(subscription, async () => {});
    expect(await watched.isDown()).toMatch(
      new RegExp(`^the membership in the subscription ${group} to ${topic} keeps ending: .*1011 broken`),
    );
  });
});
