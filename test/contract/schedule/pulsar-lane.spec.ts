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

// What the delayed lane does with a broker as it is shipped, with one that dies, and with what others put on its topic.
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

  async function taking(schedule: Schedule, handler: (message: ScheduledMessage) => Promise<void> | void) {
    const handOvers = new HandOvers();
    await schedule.consume({ concurrency: 16 }, async (message) => {
      handOvers.start(message);
      await handler(message);
      handOvers.end(message);
    });
    return handOvers;
  }

  it('is never early, though the broker delivers up to a second early', async () => {
    const schedule = await lane();
    const handOvers = await taking(schedule, () => {});
    const messages = Array.from({ length: 40 }, (_, index) => messageIn(100 + index * 60));
    await Promise.all(messages.map((message) => schedule.add(message)));
    await handOvers.completed(40);
    for (const { at, message } of handOvers.all) expect(at).toBeGreaterThanOrEqual(message.dueAt);
    expect(handOvers.ids()).toEqual(messages.map(({ id }) => id));
  });

  it('can still be cancelled and moved when the broker has delivered it early', async () => {
    const schedule = await lane();
    const handOvers = await taking(schedule, () => {});
    const [doomed, moved, witness] = [messageIn(900), messageIn(900), messageIn(950)];
    for (const message of [doomed, moved, witness]) await schedule.add(message);
    const dueAt = witness.dueAt + 300;
    expect(await schedule.cancel(doomed.id)).toBe(true);
    expect(await schedule.reschedule(moved.id, dueAt)).toBe(true);
    await handOvers.completed(2);
    expect(handOvers.ids()).toEqual([witness.id, moved.id]);
    expect(handOvers.all[1]!.at).toBeGreaterThanOrEqual(dueAt);
  });

  it('is sent anew when it was moved far away', async () => {
    const schedule = await lane();
    const handOvers = await taking(schedule, () => {});
    const [moved, witness] = [messageIn(1_500), messageIn(1_600)];
    for (const message of [moved, witness]) await schedule.add(message);
    expect(await schedule.reschedule(moved.id, moved.dueAt + 3_600_000)).toBe(true);
    await handOvers.completed(1);
    const dueAt = Date.now() + 100;
    expect(await schedule.reschedule(moved.id, dueAt)).toBe(true);
    await handOvers.completed(2);
    expect(handOvers.ids()).toEqual([witness.id, moved.id]);
    expect(handOvers.message(moved.id)).toEqual({ ...moved, dueAt });
  });

  it('delivers what its ledger has lost, once', async () => {
    const topic = randomUUID();
    const before = await lane({ topic });
    const message = messageIn(300);
    await before.add(message);
    await before.close();
    const after = await lane({ topic });
    const handOvers = await taking(after, () => {});
    await handOvers.completed(1);
    expect(handOvers.message(message.id)).toEqual(message);
    expect(await after.cancel(message.id)).toBe(false);
  });

  it('puts among the dead letters what its handler rejected too often, and forgets it', async () => {
    const topic = randomUUID();
    const deadLetterTopic = `${topic}-dead`;
    const schedule = await lane({ topic, lane: { maxDeliveries: 3, deadLetterTopic } });
    const poison = messageIn(0, { tags: { a: 'b' } });
    const handOvers = await taking(schedule, () => {
      throw new Error('never');
    });
    const bus = await openBus({ serviceUrl: urlOf(pulsar) });
    opened.push(bus);
    await schedule.add(poison);
    const dead = Promise.withResolvers<Record<string, string>>();
    await bus.subscribe(
      { topics: [deadLetterTopic], group: 'undertaker', from: 'earliest' },
      async ([record]) => dead.resolve(record!.headers),
    );
    expect(await dead.promise).toMatchObject({ 'carillon-id': poison.id, 'carillon-tags': '{"a":"b"}' });
    expect(handOvers.ids()).toEqual(Array(3).fill(poison.id));
    expect(await schedule.find(poison.id)).toBeUndefined();
    await schedule.add(poison);
    expect(await schedule.find(poison.id)).toBeUndefined();
  });

  it('takes records of other programs by its rule, and skips what cannot be understood', async () => {
    const topic = randomUUID();
    const schedule = await lane({ topic, lane: { foreignRecords: { from: 'key' } } });
    const handOvers = await taking(schedule, () => {});
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

  describe('where the broker dies', () => {
    it('loses nothing that was added, and half does nothing', async () => {
      const changes: string[] = [];
      const status = new BrokerStatus('pulsar', ({ state }) => void changes.push(state));
      const schedule = await lane({ driver: defaultTimeouts }, status);
      const done = Promise.withResolvers<void>();
      const held = messageIn(0);
      const handOvers = await taking(schedule, ({ id }) => (id === held.id ? done.promise : undefined));
      await schedule.add(held);
      await handOvers.started(1);
      const waiting = Array.from({ length: 20 }, (_, index) => messageIn(6_000 + index * 100));
      await Promise.all(waiting.map((message) => schedule.add(message)));
      await pulsar.kill();

      const refused = messageIn(0);
      const giveUp = () => expect(schedule.add(refused)).rejects.toBeInstanceOf(BrokerUnavailableError);
      expect(await timeTaken(giveUp)).toBeLessThan(2_000);
      expect(await schedule.find(refused.id)).toBeUndefined();
      const last = waiting.at(-1)!;
      await expect(schedule.reschedule(last.id, Date.now())).rejects.toBeInstanceOf(BrokerUnavailableError);
      expect(await schedule.find(last.id)).toEqual(last);
      expect(await schedule.cancel(waiting[0]!.id)).toBe(true);
      // The broker hears only later that this one is done with.
      done.resolve();

      await pulsar.restart();
      await untilAdded(schedule, refused);
      await handOvers.completed(21);
      const expected = [held, ...waiting.slice(1), refused].map(({ id }) => id);
      expect(handOvers.ids().toSorted()).toEqual(expected.toSorted());
      for (const { at, message } of handOvers.all) expect(at).toBeGreaterThanOrEqual(message.dueAt);
      expect(changes.slice(0, 3)).toEqual(['up', 'down', 'up']);
    });

    it('may be opened before it is there', async () => {
      await pulsar.kill();
      const schedule = await lane({ driver: defaultTimeouts });
      const handOvers = await taking(schedule, () => {});
      const message = messageIn(0);
      await expect(schedule.add(message)).rejects.toBeInstanceOf(BrokerUnavailableError);
      await pulsar.restart();
      await untilAdded(schedule, message);
      await handOvers.completed(1);
    });

    it('closes in bounded time', async () => {
      const schedule = await lane({ driver: defaultTimeouts });
      await taking(schedule, () => {});
      await pulsar.kill();
      expect(await timeTaken(() => schedule.close())).toBeLessThan(3_000);
      await pulsar.restart();
    });
  });
});
