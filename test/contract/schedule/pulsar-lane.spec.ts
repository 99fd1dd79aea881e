import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError, type Schedule } from '../../../src/bus/index.js';
import type { ScheduledMessage } from '../../../src/message/index.js';
import { BrokerStatus } from '../../../src/metrics/index.js';
import { type RunningPulsar, startPulsar } from '../../support/brokers.js';
import { timeTaken } from '../../support/time-taken.js';
import { HandOvers } from './hand-overs.js';
import { defaultTimeouts, open as openBus } from '../bus/pulsar-bus.open.js';
import { open, type PulsarScheduleSettings } from './pulsar-schedule.open.js';
import { describeOverEachTransport } from '../bus/pulsar-transports.js';
import { messageIn, untilAdded } from './scheduled-messages.js';

// The delayed lane with a broker in its default configuration, with one that dies, and with records of other programs.
describeOverEachTransport('pulsar', 'the delayed lane on Pulsar', (urlOf) => {
  let pulsar: RunningPulsar;
  let opened: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    pulsar = await startPulsar({ properties: { delayedDeliveryTickTimeMillis: '1000' } });
    const first = await lane();
    await untilAdded(first, messageIn(0));
  });
  afterEach(async () => {
    await Promise.all(opened.map((each) => each.close()));
    opened = [];
  });
  afterAll(() => pulsar.dispose());

  async function lane(given: Partial<PulsarScheduleSettings> = {}, status?: BrokerStatus): Promise<Schedule> {
    const schedule = await open(
      { serviceUrl: urlOf(pulsar), topic: randomUUID(), ledger: ':memory:', ...given },
      status,
    );
    opened.push(schedule);
    return schedule;
  }

  async function consume(schedule: Schedule, handler: (message: ScheduledMessage) => Promise<void> | void) {
    const handOvers = new HandOvers();
    await schedule.consume({ concurrency: 16 }, async (message) => {
      handOvers.start(message);
      await handler(message);
      handOvers.end(message);
    });
    return handOvers;
  }

  it('is never early, although the broker delivers up to a second early', async () => {
    const schedule = await lane();
    const handOvers = await consume(schedule, () => {});
    const messages = Array.from({ length: 40 }, (_, index) => messageIn(100 + index * 60));
    await Promise.all(messages.map((message) => schedule.add(message)));
    await handOvers.completed(40);
    for (const { at, message } of handOvers.all) expect(at).toBeGreaterThanOrEqual(message.dueAt);
    expect(handOvers.ids()).toEqual(messages.map(({ id }) => id));
  });

  it('can cancel and move a message that the broker has delivered early', async () => {
    const schedule = await lane();
    const handOvers = await consume(schedule, () => {});
    const [cancelled, moved, last] = [messageIn(900), messageIn(900), messageIn(950)];
    for (const message of [cancelled, moved, last]) await schedule.add(message);
    const dueAt = last.dueAt + 300;
    expect(await schedule.cancel(cancelled.id)).toBe(true);
    expect(await schedule.reschedule(moved.id, dueAt)).toBe(true);
    await handOvers.completed(2);
    expect(handOvers.ids()).toEqual([last.id, moved.id]);
    expect(handOvers.all[1]!.at).toBeGreaterThanOrEqual(dueAt);
  });

  it('sends a message again if it was moved to a much later time', async () => {
    const schedule = await lane();
    const handOvers = await consume(schedule, () => {});
    const [moved, last] = [messageIn(1_500), messageIn(1_600)];
    for (const message of [moved, last]) await schedule.add(message);
    expect(await schedule.reschedule(moved.id, moved.dueAt + 3_600_000)).toBe(true);
    await handOvers.completed(1);
    const dueAt = Date.now() + 100;
    expect(await schedule.reschedule(moved.id, dueAt)).toBe(true);
    await handOvers.completed(2);
    expect(handOvers.ids()).toEqual([last.id, moved.id]);
    expect(handOvers.message(moved.id)).toEqual({ ...moved, dueAt });
  });

  it('delivers a message once if the ledger has lost it', async () => {
    const topic = randomUUID();
    const before = await lane({ topic });
    const message = messageIn(300);
    await before.add(message);
    await before.close();
    const after = await lane({ topic });
    const handOvers = await consume(after, () => {});
    await handOvers.completed(1);
    expect(handOvers.message(message.id)).toEqual(message);
    expect(await after.cancel(message.id)).toBe(false);
  });

  it('dead-letters a message that its handler rejected too often, and forgets it', async () => {
    const topic = randomUUID();
    const deadLetterTopic = `${topic}-dead`;
    const schedule = await lane({ topic, lane: { maxDeliveries: 3, deadLetterTopic } });
    const rejected = messageIn(0, { tags: { a: 'b' } });
    const handOvers = await consume(schedule, () => {
      throw new Error('never');
    });
    const bus = await openBus({ serviceUrl: urlOf(pulsar) });
    opened.push(bus);
    await schedule.add(rejected);
    const dead = Promise.withResolvers<Record<string, string>>();
    await bus.subscribe(
      { topics: [deadLetterTopic], group: 'dead letters', from: 'earliest' },
      async ([record]) => dead.resolve(record!.headers),
    );
    expect(await dead.promise).toMatchObject({ 'carillon-id': rejected.id, 'carillon-tags': '{"a":"b"}' });
    expect(handOvers.ids()).toEqual(Array(3).fill(rejected.id));
    expect(await schedule.find(rejected.id)).toBeUndefined();
    await schedule.add(rejected);
    expect(await schedule.find(rejected.id)).toBeUndefined();
  });

  it('accepts records of other programs by its rule, and skips records that it cannot decode', async () => {
    const topic = randomUUID();
    const schedule = await lane({ topic, lane: { foreignRecords: { from: 'key' } } });
    const handOvers = await consume(schedule, () => {});
    const bus = await openBus({ serviceUrl: urlOf(pulsar) });
    opened.push(bus);
    await bus.publish(topic, [
      { headers: { 'carillon-version': '99' }, value: Buffer.from('from the future') },
      { value: Buffer.from('without a key') },
      { key: 'lobby', value: Buffer.from('{"from":"elsewhere"}') },
    ]);
    await handOvers.completed(1);
    expect(handOvers.all[0]!.message).toMatchObject({ channel: 'lobby', format: 'json' });
    expect(handOvers.all).toHaveLength(1);
  });

  describe('if the broker dies', () => {
    it('loses no added message, and completes or undoes each call', async () => {
      const changes: string[] = [];
      const status = new BrokerStatus('pulsar', ({ state }) => void changes.push(state));
      const schedule = await lane({ driver: defaultTimeouts }, status);
      const done = Promise.withResolvers<void>();
      const first = messageIn(0);
      const handOvers = await consume(schedule, ({ id }) => (id === first.id ? done.promise : undefined));
      await schedule.add(first);
      await handOvers.started(1);
      const waiting = Array.from({ length: 20 }, (_, index) => messageIn(6_000 + index * 100));
      await Promise.all(waiting.map((message) => schedule.add(message)));
      await pulsar.kill();

      const refused = messageIn(0);
      const rejects = () => expect(schedule.add(refused)).rejects.toBeInstanceOf(BrokerUnavailableError);
      expect(await timeTaken(rejects)).toBeLessThan(2_000);
      expect(await schedule.find(refused.id)).toBeUndefined();
      const last = waiting.at(-1)!;
      await expect(schedule.reschedule(last.id, Date.now())).rejects.toBeInstanceOf(BrokerUnavailableError);
      expect(await schedule.find(last.id)).toEqual(last);
      expect(await schedule.cancel(waiting[0]!.id)).toBe(true);
      // The acknowledgement of this message reaches the broker later.
      done.resolve();

      await pulsar.restart();
      await untilAdded(schedule, refused);
      await handOvers.completed(21);
      const expected = [first, ...waiting.slice(1), refused].map(({ id }) => id);
      expect(handOvers.ids().toSorted()).toEqual(expected.toSorted());
      for (const { at, message } of handOvers.all) expect(at).toBeGreaterThanOrEqual(message.dueAt);
      expect(changes.slice(0, 3)).toEqual(['up', 'down', 'up']);
    });

    it('can be opened before the broker runs', async () => {
      await pulsar.kill();
      const schedule = await lane({ driver: defaultTimeouts });
      const handOvers = await consume(schedule, () => {});
      const message = messageIn(0);
      await expect(schedule.add(message)).rejects.toBeInstanceOf(BrokerUnavailableError);
      await pulsar.restart();
      await untilAdded(schedule, message);
      await handOvers.completed(1);
    });

    it('closes in bounded time', async () => {
      const schedule = await lane({ driver: defaultTimeouts });
      await consume(schedule, () => {});
      await pulsar.kill();
      expect(await timeTaken(() => schedule.close())).toBeLessThan(3_000);
      await pulsar.restart();
    });
  });
});
