import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BrokerUnavailableError,
  type Bus,
  BusClosedError,
  type SubscribeOptions,
} from '../../../src/bus/index.js';
import type { ReceivedRecord } from '../../../src/message/index.js';
import { timeTaken } from '../../support/time-taken.js';
import { Inbox } from './inbox.js';
import { PublishedStream } from './published-stream.js';
import { bodyOf, firstDeliveries, numbered, positionOf, text } from './records.js';

/** A bus under test. Other suites may use its broker too. */
export interface BusSubject {
  readonly bus: Bus;
  /** Returns a new name for a topic or a group. */
  name(): string;
  /** Opens a second bus on the same broker, like another process. Absent if the bus cannot be shared. */
  another?(): Promise<Bus>;
  /** Starts a process that subscribes and holds its first batch until it is killed. Absent if the bus cannot be shared. */
  holdElsewhere?(options: SubscribeOptions): Promise<HoldingProcess>;
  /** Present if the suite owns the broker and may stop it. */
  readonly broker?: {
    /** Opens a bus with the default timeouts. The others have longer ones, because the machine may be busy. */
    withDefaultTimeouts(): Promise<Bus>;
    stop(): Promise<void>;
    start(): Promise<void>;
    /** Suspends the broker, with its connections open, until `thaw`. */
    freeze(): void;
    thaw(): void;
  };
  /** Present if the broker counts a member as dead that is silent for so long. */
  readonly deadAfterMs?: number;
}

export interface HoldingProcess {
  /** Resolves when its handler has been called. */
  readonly holds: Promise<void>;
  /** Sends SIGKILL. Resolves when the process has exited. */
  kill(): Promise<void>;
}

/** The contract of the `Bus` port, for every adapter. The adapter's capabilities say what it does not support. */
export function describeBus(name: string, open: () => Promise<BusSubject>): void {
  describe(`${name} keeps the contract of Bus`, () => {
    let subject: BusSubject;
    let bus: Bus;
    let others: Bus[];

    beforeEach(async () => {
      subject = await open();
      bus = subject.bus;
      others = [];
    });
    afterEach(async () => {
      await Promise.all([bus, ...others].map((each) => each.close()));
    });

    const keep = async (opening: Promise<Bus>): Promise<Bus> => {
      const another = await opening;
      others.push(another);
      return another;
    };
    const second = async (): Promise<Bus> => (subject.another === undefined ? bus : keep(subject.another()));
    const subscribe = async (
      on: Bus,
      options: Partial<SubscribeOptions> & Pick<SubscribeOptions, 'topics'>,
      handler?: (records: readonly ReceivedRecord[]) => Promise<void> | void,
    ) => {
      const inbox = new Inbox();
      const group = options.group ?? subject.name();
      const subscription = await on.subscribe({ ...options, group }, async (records) => {
        await handler?.(records);
        inbox.add(records);
      });
      return { inbox, subscription, group };
    };

    const rejecting = async (on: Bus, topic: string, group: string) => {
      const rejected = Promise.withResolvers<void>();
      const { subscription } = await subscribe(on, { topics: [topic], group }, () => {
        rejected.resolve();
        throw new Error('never');
      });
      return { subscription, rejected: rejected.promise };
    };

    describe('records', () => {
      it('arrive unchanged', async () => {
        const topic = subject.name();
        const { inbox } = await subscribe(bus, { topics: [topic] });
        const before = Date.now();
        const value = Buffer.from([0, 255, 10, 13, 0xc3, 0x28]);
        await bus.publish(topic, [{ key: 'clé', headers: { plain: 'a', schräg: 'ü€', empty: '' }, value }]);

        const [record] = await inbox.atLeast(1);
        expect(record).toMatchObject({ topic, key: 'clé', attempt: 1 });
        expect(record?.headers).toEqual({ plain: 'a', schräg: 'ü€', empty: '' });
        expect(record?.value.equals(value)).toBe(true);
        expect(record?.position).not.toBe('');
        // The broker's clock may differ slightly.
        expect(record?.publishedAt).toBeGreaterThan(before - 1_000);
        expect(record?.publishedAt).toBeLessThan(Date.now() + 1_000);
      });

      it('may have no key, no headers and no body', async () => {
        const topic = subject.name();
        const { inbox } = await subscribe(bus, { topics: [topic] });
        await bus.publish(topic, [{ value: Buffer.alloc(0) }]);

        const [record] = await inbox.atLeast(1);
        expect(record).not.toHaveProperty('key');
        expect(record?.headers).toEqual({});
        expect(record?.value).toHaveLength(0);
      });

      it('all arrive, whether published one by one, concurrently or in batches', async () => {
        const topic = subject.name();
        const { inbox } = await subscribe(bus, { topics: [topic], maxBatchSize: 100 });
        const expected = Array.from({ length: 600 }, (_, index) => String(index));
        await bus.publish(topic, []);
        await bus.publish(topic, expected.slice(0, 200).map(text));
        await Promise.all(expected.slice(200, 500).map((value) => bus.publish(topic, [text(value)])));
        for (const value of expected.slice(500)) await bus.publish(topic, [text(value)]);

        const received = await inbox.atLeast(600);
        expect(received.map(bodyOf).toSorted()).toEqual(expected.toSorted());
      });

      it('of several topics arrive in one subscription', async () => {
        const topics = [subject.name(), subject.name()];
        const { inbox } = await subscribe(bus, { topics });
        for (const topic of topics) await bus.publish(topic, [text(topic)]);

        const received = await inbox.atLeast(2);
        expect(received.map((record) => record.topic).toSorted()).toEqual(topics.toSorted());
        expect(received.every((record) => record.topic === bodyOf(record))).toBe(true);
      });

      it('are accepted for many new topics at once, from several buses, while groups join them', async () => {
        const other = await second();
        const topics = Array.from({ length: 12 }, () => subject.name());
        const subscribing = subscribe(other, { topics, from: 'earliest', concurrency: 4 });
        const publishes = topics.flatMap((topic) =>
          [bus, other].map((on) => on.publish(topic, [text(topic)])),
        );
        const outcomes = await Promise.allSettled(publishes);
        expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
        const { inbox } = await subscribing;
        const received = await inbox.atLeast(24);
        expect(received.map(bodyOf).toSorted()).toEqual([...topics, ...topics].toSorted());
      });
    });

    describe('batches', () => {
      it('have at most maxBatchSize records, all of one partition', async () => {
        const topic = subject.name();
        const batches: (readonly ReceivedRecord[])[] = [];
        const { inbox } = await subscribe(bus, { topics: [topic], maxBatchSize: 7 }, (records) => {
          batches.push(records);
        });
        await bus.publish(topic, numbered('k', 50));

        await inbox.atLeast(50);
        expect(Math.max(...batches.map((batch) => batch.length))).toBeGreaterThan(1);
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(7);
          expect(new Set(batch.map((record) => record.partition)).size).toBe(1);
        }
      });

      it('have one record by default', async () => {
        const topic = subject.name();
        const sizes = new Set<number>();
        const { inbox } = await subscribe(bus, { topics: [topic] }, (records) => {
          sizes.add(records.length);
        });
        await bus.publish(topic, numbered('k', 5));

        await inbox.atLeast(5);
        expect(sizes).toEqual(new Set([1]));
      });
    });

    describe('order', () => {
      it('is kept per key, and a key is handled by one handler at a time', async () => {
        if (!bus.capabilities.keyOrder) return;
        const topic = subject.name();
        const group = subject.name();
        const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`);
        const held = new Set<string>();
        let overlaps = 0;
        const handler = async (records: readonly ReceivedRecord[]) => {
          const keysOfBatch = new Set(records.map((record) => record.key ?? ''));
          for (const key of keysOfBatch) if (held.has(key)) overlaps++;
          for (const key of keysOfBatch) held.add(key);
          await nextTurn();
          for (const key of keysOfBatch) held.delete(key);
        };
        const options = { topics: [topic], group, concurrency: 4, maxBatchSize: 5 };
        const members = [
          await subscribe(bus, options, handler),
          await subscribe(await second(), options, handler),
        ];
        await Promise.all(
          keys.map(async (key) => {
            for (const record of numbered(key, 20)) await bus.publish(topic, [record]);
          }),
        );

        const inboxes = members.map(({ inbox }) => inbox);
        await Inbox.together(inboxes, 240);
        expect(overlaps).toBe(0);
        for (const key of keys) {
          const perMember = inboxes.map((inbox) => inbox.records.filter((record) => record.key === key));
          for (const records of perMember) {
            const numbers = firstDeliveries(records).map((record) => Number(bodyOf(record)));
            expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
          }
        }
      });
    });

    describe('a rejected batch', () => {
      it('is redelivered with growing pauses until it is accepted', async () => {
        const topic = subject.name();
        const calls: { at: number; attempts: number[]; bodies: string[] }[] = [];
        const { inbox } = await subscribe(bus, { topics: [topic], maxBatchSize: 10 }, (records) => {
          calls.push({
            at: performance.now(),
            attempts: records.map((record) => record.attempt),
            bodies: records.map(bodyOf),
          });
          if (calls.length < 7) throw new Error('not yet');
        });
        await bus.publish(topic, [{ key: 'k', value: Buffer.from('again') }]);

        await inbox.atLeast(1);
        expect(calls.map(({ bodies }) => bodies)).toEqual(Array.from({ length: 7 }, () => ['again']));
        const attempts = calls.map((call) => call.attempts[0] ?? 0);
        expect(attempts[0]).toBe(1);
        expect(attempts[6]).toBeGreaterThan(1);
        const pauses = calls.slice(1).map((call, index) => call.at - (calls[index]?.at ?? 0));
        // The first pause is at most 20 ms and each is twice as long as the previous one, plus delays of the machine.
        expect(pauses.at(-1)).toBeGreaterThan(200);
      });

      it('is not acknowledged, so another member receives it', async () => {
        const topic = subject.name();
        const group = subject.name();
        const first = await rejecting(bus, topic, group);
        await bus.publish(topic, [text('rejected')]);
        await first.rejected;
        await first.subscription.close();

        const { inbox } = await subscribe(await second(), { topics: [topic], group });
        expect((await inbox.atLeast(1)).map(bodyOf)).toContain('rejected');
      });

      it('blocks only its own partition, and so does a slow batch', async () => {
        const topic = subject.name();
        const release = Promise.withResolvers<void>();
        const { inbox } = await subscribe(bus, { topics: [topic], concurrency: 3 }, async ([record]) => {
          if (record === undefined) return;
          if (bodyOf(record) === 'slow') await release.promise;
          if (bodyOf(record) === 'poison' && !inbox.has('free')) throw new Error('poison');
        });
        const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
        for (const key of keys) await bus.publish(topic, [{ key, value: Buffer.from('probe') }]);
        const partitionOf = new Map(
          (await inbox.atLeast(40)).map((record) => [record.key, record.partition]),
        );
        const [slow, poison, free] = [...new Set(partitionOf.values())].map((partition) =>
          keys.find((key) => partitionOf.get(key) === partition),
        );
        if (slow === undefined || poison === undefined || free === undefined) return;
        for (const [key, body] of Object.entries({ [slow]: 'slow', [poison]: 'poison', [free]: 'free' })) {
          await bus.publish(topic, [{ key, value: Buffer.from(body) }]);
        }

        await inbox.until(() => inbox.has('free'));
        expect(inbox.has('slow')).toBe(false);
        release.resolve();
        await inbox.until(() => inbox.has('slow') && inbox.has('poison'));
      });
    });

    describe('groups', () => {
      it('each receive every record, and their members share the records', async () => {
        const topic = subject.name();
        const shared = { topics: [topic], group: subject.name(), concurrency: 2 };
        const members = [await subscribe(bus, shared), await subscribe(await second(), shared)];
        const alone = await subscribe(bus, { topics: [topic] });
        const records = Array.from({ length: 100 }, (_, index) => ({
          key: `key-${index}`,
          value: Buffer.from(String(index)),
        }));
        await bus.publish(topic, records);

        const inboxes = members.map(({ inbox }) => inbox);
        await Promise.all([Inbox.together(inboxes, 100), alone.inbox.atLeast(100)]);
        const [first, other] = inboxes.map((inbox) => new Set(inbox.records.map(bodyOf)));
        expect([...(first ?? [])].filter((body) => other?.has(body))).toEqual([]);
        expect(first?.size).toBeGreaterThan(0);
        expect(other?.size).toBeGreaterThan(0);
      });

      it('start where `from` says, and at the latest record by default', async () => {
        const topic = subject.name();
        const observer = await subscribe(bus, { topics: [topic] });
        await bus.publish(topic, [text('before')]);
        await observer.inbox.atLeast(1);
        const earliest = await subscribe(bus, { topics: [topic], from: 'earliest' });
        const latest = await subscribe(bus, { topics: [topic], from: 'latest' });
        const byDefault = await subscribe(bus, { topics: [topic] });
        await bus.publish(topic, [text('after')]);

        expect((await earliest.inbox.atLeast(2)).map(bodyOf).toSorted()).toEqual(['after', 'before']);
        expect((await latest.inbox.atLeast(1)).map(bodyOf)).toEqual(['after']);
        expect((await byDefault.inbox.atLeast(1)).map(bodyOf)).toEqual(['after']);
      });

      it('keep their position without members, even if they have received nothing yet', async () => {
        if (!bus.capabilities.remembersGroups) return;
        const topic = subject.name();
        const first = await subscribe(bus, { topics: [topic] });
        await first.subscription.close();
        await bus.publish(topic, [text('meanwhile')]);

        const { inbox } = await subscribe(await second(), { topics: [topic], group: first.group });
        expect((await inbox.atLeast(1)).map(bodyOf)).toEqual(['meanwhile']);
      });

      it('do not take a partition from a handler that runs longer than a dead member is waited for', async () => {
        const { deadAfterMs } = subject;
        if (deadAfterMs === undefined) return;
        const topic = subject.name();
        const shared = { topics: [topic], group: subject.name() };
        const entered = Promise.withResolvers<void>();
        const handled: string[] = [];
        const handler = async ([record]: readonly ReceivedRecord[]) => {
          if (record === undefined || bodyOf(record) !== 'long') return;
          entered.resolve();
          await new Promise((resolve) => setTimeout(resolve, 1.5 * deadAfterMs));
          handled.push(positionOf(record));
        };
        const members = [
          await subscribe(bus, shared, handler),
          await subscribe(await second(), shared, handler),
        ];
        await bus.publish(topic, [{ key: 'k', value: Buffer.from('long') }]);
        await entered.promise;
        await bus.publish(topic, [{ key: 'k', value: Buffer.from('next') }]);

        const inboxes = members.map(({ inbox }) => inbox);
        await Inbox.together(inboxes, 2);
        expect(handled).toHaveLength(1);
        expect(inboxes.flatMap(({ records }) => records.map(bodyOf))).toEqual(['long', 'next']);
      });

      it('redeliver the batch of a killed process', async () => {
        if (subject.holdElsewhere === undefined) return;
        const topic = subject.name();
        const group = subject.name();
        const process = await subject.holdElsewhere({ topics: [topic], group, from: 'earliest' });
        try {
          await bus.publish(topic, [text('unacknowledged'), text('waiting')]);
          await process.holds;
        } finally {
          await process.kill();
        }

        const { inbox } = await subscribe(bus, { topics: [topic], group });
        expect((await inbox.atLeast(2)).map(bodyOf).toSorted()).toEqual(['unacknowledged', 'waiting']);
      });
    });

    describe('the lag of a group', () => {
      it('is the number of unacknowledged records, if the broker reports it', async () => {
        const topic = subject.name();
        const release = Promise.withResolvers<void>();
        const { inbox, group } = await subscribe(bus, { topics: [topic] }, () => release.promise);
        await bus.publish(topic, numbered('k', 5));
        const lagOf = async (records: number) => {
          for (;;) {
            const lags = await bus.lag(group, [topic]);
            const total = lags.reduce((sum, lag) => sum + lag.records, 0);
            if (lags.length === 0 || total === records) return lags;
            await nextTurn();
          }
        };
        expect((await lagOf(5)).every((lag) => lag.topic === topic)).toBe(true);
        release.resolve();
        await inbox.atLeast(5);
        await lagOf(0);
        expect(await bus.lag(subject.name(), [subject.name()])).toEqual([]);
      });
    });

    describe('handlers', () => {
      it('run concurrently, up to the limit', async () => {
        const topic = subject.name();
        const partitions = new Set<number>();
        let running = 0;
        let most = 0;
        const { inbox } = await subscribe(bus, { topics: [topic], concurrency: 3 }, async ([record]) => {
          if (record !== undefined) partitions.add(record.partition);
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running--;
        });
        await bus.publish(
          topic,
          Array.from({ length: 60 }, (_, index) => ({
            key: `key-${index}`,
            value: Buffer.from(String(index)),
          })),
        );

        await inbox.atLeast(60);
        expect(most).toBeLessThanOrEqual(3);
        expect(most).toBeGreaterThanOrEqual(Math.min(2, partitions.size));
      });
    });

    describe('a subscription', () => {
      it('receives nothing while it is paused', async () => {
        const topic = subject.name();
        const observer = await subscribe(bus, { topics: [topic] });
        const { inbox, subscription } = await subscribe(bus, { topics: [topic] });
        await bus.publish(topic, [text('1')]);
        await inbox.atLeast(1);
        subscription.pause();
        await bus.publish(topic, [text('2')]);
        await observer.inbox.atLeast(2);
        await nextTurn();
        expect(inbox.records.map(bodyOf)).toEqual(['1']);
        subscription.resume();

        expect((await inbox.atLeast(2)).map(bodyOf)).toEqual(['1', '2']);
      });

      it('finishes and acknowledges its current batch when it is closed, and receives no more', async () => {
        const topic = subject.name();
        const entered = Promise.withResolvers<void>();
        const release = Promise.withResolvers<void>();
        const first = await subscribe(bus, { topics: [topic] }, async () => {
          entered.resolve();
          await release.promise;
        });
        await bus.publish(topic, numbered('k', 2));
        await entered.promise;
        let closed = false;
        const closing = first.subscription.close().then(() => (closed = true));
        await nextTurn();
        expect(closed).toBe(false);
        release.resolve();
        await closing;
        expect(first.inbox.records.map(bodyOf)).toEqual(['0']);
        await first.subscription.close();

        const next = await subscribe(await second(), { topics: [topic], group: first.group });
        expect((await next.inbox.atLeast(1)).map(bodyOf)).toEqual(['1']);
      });
    });

    describe('a closed bus', () => {
      it('has sent everything that was published before', async () => {
        const topic = subject.name();
        const { inbox } = await subscribe(await second(), { topics: [topic], maxBatchSize: 50 });
        const publishes = numbered('k', 50).map((record) => bus.publish(topic, [record]));
        await Promise.all([...publishes, bus.close()]);

        expect(await inbox.atLeast(50)).toHaveLength(50);
      });

      it('refuses further calls, and can be closed again', async () => {
        const topic = subject.name();
        await subscribe(bus, { topics: [topic] });
        await Promise.all([bus.close(), bus.close()]);
        await bus.close();

        await expect(bus.publish(topic, [text('late')])).rejects.toBeInstanceOf(BusClosedError);
        await expect(subscribe(bus, { topics: [topic] })).rejects.toBeInstanceOf(BusClosedError);
      });
    });

    describe('an outage of the broker', () => {
      it('makes publishing fail fast, and loses no acknowledged record', async () => {
        const { broker } = subject;
        if (broker === undefined) return;
        const topic = subject.name();
        const { inbox } = await subscribe(bus, { topics: [topic], maxBatchSize: 20, concurrency: 2 });
        const stream = new PublishedStream(await keep(broker.withDefaultTimeouts()), topic);
        await stream.acknowledges(50);
        await broker.stop();
        try {
          await stream.fails();
          expect(stream.slowestFailureMs).toBeLessThan(2_500);
          expect(stream.unexpectedErrors).toEqual([]);
        } finally {
          await broker.start();
        }
        await stream.acknowledges(50);
        await stream.stop();

        await inbox.until(() => stream.acknowledged.every((body) => inbox.has(body)));
      });

      it('with open connections makes publishing fail in time, and publishing works again afterwards', async () => {
        const { broker } = subject;
        if (broker === undefined) return;
        const topic = subject.name();
        const { inbox } = await subscribe(bus, { topics: [topic], maxBatchSize: 100, from: 'earliest' });
        const impatient = await keep(broker.withDefaultTimeouts());
        const before = new PublishedStream(impatient, topic);
        await before.acknowledges(1);
        await before.stop();
        broker.freeze();
        try {
          // More than fit into one request, so that some have to wait.
          const calls = () =>
            Array.from({ length: 3_000 }, (_, index) =>
              impatient
                .publish(topic, [{ key: String(index % 10), value: Buffer.alloc(500) }])
                .then(() => 'published', String),
            );
          let outcomes: string[] = [];
          const tookMs = await timeTaken(async () => (outcomes = await Promise.all(calls())));
          expect(new Set(outcomes.map((outcome) => outcome.split(':')[0]))).toEqual(
            new Set([BrokerUnavailableError.name]),
          );
          expect(tookMs).toBeLessThan(2_500);
        } finally {
          broker.thaw();
        }
        const stream = new PublishedStream(impatient, topic);
        await stream.acknowledges(10);
        await stream.stop();
        await inbox.until(() => stream.acknowledged.every((body) => inbox.has(body)));
      });

      it('at start-up does not prevent a bus from being opened; it works when the broker is available', async () => {
        const { broker } = subject;
        if (broker === undefined) return;
        const topic = subject.name();
        await subscribe(bus, { topics: [topic] });
        await broker.stop();
        let late: Bus;
        let inbox: Inbox;
        try {
          late = await keep(broker.withDefaultTimeouts());
          ({ inbox } = await subscribe(late, { topics: [topic], from: 'earliest' }));
          await expect(late.publish(topic, [text('too early')])).rejects.toBeInstanceOf(
            BrokerUnavailableError,
          );
        } finally {
          await broker.start();
        }
        const stream = new PublishedStream(late, topic);
        await stream.acknowledges(1);
        await stream.stop();

        await inbox.until(() => stream.acknowledged.every((body) => inbox.has(body)));
      });
    });
  });
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
