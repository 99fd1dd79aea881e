import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BrokerUnavailableError,
  type Bus,
  BusClosedError,
  type SubscribeOptions,
} from '../../../src/bus/index.js';
import type { OutgoingRecord, ReceivedRecord } from '../../../src/message/index.js';
import { timeTaken } from '../../support/time-taken.js';

/** A bus under test, on a broker that other suites may use as well. */
export interface BusSubject {
  readonly bus: Bus;
  /** A name that nobody used before, for a topic or a group. */
  name(): string;
  /** A second bus on the same broker, as another process has it. Absent where the bus is not shared. */
  another?(): Promise<Bus>;
  /** A process that subscribes and holds the first batch that it is given until it is killed. Absent where the bus is not shared. */
  holdElsewhere?(options: SubscribeOptions): Promise<HoldingProcess>;
  /** Present where the broker is the suite's own to disturb. */
  readonly broker?: {
    /** A bus that gives up a call as soon as it does by default. The others wait for a machine that is busy. */
    hasty(): Promise<Bus>;
    stop(): Promise<void>;
    start(): Promise<void>;
    /** Stands still, with its connections, until it is thawed. */
    freeze(): void;
    thaw(): void;
  };
  /** Present where the broker counts a member as dead that says nothing for so long. */
  readonly deadAfterMs?: number;
}

export interface HoldingProcess {
  /** Resolves when its handler was called. */
  readonly holds: Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** The promises of the `Bus` port, for any adapter. What an adapter cannot do is told by its capabilities. */
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
      it('arrive as they were published', async () => {
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
        // A broker's clock may be a little off.
        expect(record?.publishedAt).toBeGreaterThan(before - 1_000);
        expect(record?.publishedAt).toBeLessThan(Date.now() + 1_000);
      });

      it('need neither key, nor headers, nor a body', async () => {
        const topic = subject.name();
        const { inbox } = await subscribe(bus, { topics: [topic] });
        await bus.publish(topic, [{ value: Buffer.alloc(0) }]);

        const [record] = await inbox.atLeast(1);
        expect(record).not.toHaveProperty('key');
        expect(record?.headers).toEqual({});
        expect(record?.value).toHaveLength(0);
      });

      it('all arrive, published one by one, side by side, and in batches', async () => {
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

      it('come from several topics into one subscription', async () => {
        const topics = [subject.name(), subject.name()];
        const { inbox } = await subscribe(bus, { topics });
        for (const topic of topics) await bus.publish(topic, [text(topic)]);

        const received = await inbox.atLeast(2);
        expect(received.map((record) => record.topic).toSorted()).toEqual(topics.toSorted());
        expect(received.every((record) => record.topic === bodyOf(record))).toBe(true);
      });
    });

    describe('batches', () => {
      it('hold at most so many records, of one partition, in order', async () => {
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

      it('hold one record where nothing else is said', async () => {
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
      it('is kept for each key, and no key is in two hands at once', async () => {
        if (!bus.capabilities.keyOrder) return;
        const topic = subject.name();
        const group = subject.name();
        const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`);
        const held = new Set<string>();
        let overlaps = 0;
        const handler = async (records: readonly ReceivedRecord[]) => {
          const taken = new Set(records.map((record) => record.key ?? ''));
          for (const key of taken) if (held.has(key)) overlaps++;
          for (const key of taken) held.add(key);
          await nextTurn();
          for (const key of taken) held.delete(key);
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
      it('comes again until it is accepted, with growing pauses', async () => {
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
        // Whatever the machine adds: the first is 20 ms at most, and each is twice as long as the one before.
        expect(pauses.at(-1)).toBeGreaterThan(200);
      });

      it('is not acknowledged: another member gets it', async () => {
        const topic = subject.name();
        const group = subject.name();
        const first = await rejecting(bus, topic, group);
        await bus.publish(topic, [text('left over')]);
        await first.rejected;
        await first.subscription.close();

        const { inbox } = await subscribe(await second(), { topics: [topic], group });
        expect((await inbox.atLeast(1)).map(bodyOf)).toContain('left over');
      });

      it('and a slow one hold up nothing but their own partitions', async () => {
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
      it('each receive everything, and their members share it', async () => {
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

      it('that are new start where they were told to', async () => {
        const topic = subject.name();
        const witness = await subscribe(bus, { topics: [topic] });
        await bus.publish(topic, [text('before')]);
        await witness.inbox.atLeast(1);
        const earliest = await subscribe(bus, { topics: [topic], from: 'earliest' });
        const latest = await subscribe(bus, { topics: [topic], from: 'latest' });
        const unsaid = await subscribe(bus, { topics: [topic] });
        await bus.publish(topic, [text('after')]);

        expect((await earliest.inbox.atLeast(2)).map(bodyOf).toSorted()).toEqual(['after', 'before']);
        expect((await latest.inbox.atLeast(1)).map(bodyOf)).toEqual(['after']);
        expect((await unsaid.inbox.atLeast(1)).map(bodyOf)).toEqual(['after']);
      });

      it('are remembered while none of their members is there, even if they received nothing before', async () => {
        if (!bus.capabilities.remembersGroups) return;
        const topic = subject.name();
        const first = await subscribe(bus, { topics: [topic] });
        await first.subscription.close();
        await bus.publish(topic, [text('meanwhile')]);

        const { inbox } = await subscribe(await second(), { topics: [topic], group: first.group });
        expect((await inbox.atLeast(1)).map(bodyOf)).toEqual(['meanwhile']);
      });

      it('leave a partition with a handler that works for longer than a dead member is waited for', async () => {
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
          handled.push(placeOf(record));
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

      it('take over what a killed process held', async () => {
        if (subject.holdElsewhere === undefined) return;
        const topic = subject.name();
        const group = subject.name();
        const process = await subject.holdElsewhere({ topics: [topic], group, from: 'earliest' });
        try {
          await bus.publish(topic, [text('in hand'), text('waiting')]);
          await process.holds;
        } finally {
          await process.kill();
        }

        const { inbox } = await subscribe(bus, { topics: [topic], group });
        expect((await inbox.atLeast(2)).map(bodyOf).toSorted()).toEqual(['in hand', 'waiting']);
      });
    });

    describe('the lag of a group', () => {
      it('is what it has not acknowledged, where the broker tells', async () => {
        const topic = subject.name();
        const release = Promise.withResolvers<void>();
        const { inbox, group } = await subscribe(bus, { topics: [topic] }, () => release.promise);
        await bus.publish(topic, numbered('k', 5));
        const told = async (records: number) => {
          for (;;) {
            const lags = await bus.lag(group, [topic]);
            const total = lags.reduce((sum, lag) => sum + lag.records, 0);
            if (lags.length === 0 || total === records) return lags;
            await nextTurn();
          }
        };
        expect((await told(5)).every((lag) => lag.topic === topic)).toBe(true);
        release.resolve();
        await inbox.atLeast(5);
        await told(0);
        expect(await bus.lag(subject.name(), [subject.name()])).toEqual([]);
      });
    });

    describe('handlers', () => {
      it('work side by side, up to the limit', async () => {
        const topic = subject.name();
        const partitions = new Set<number>();
        let atWork = 0;
        let most = 0;
        const { inbox } = await subscribe(bus, { topics: [topic], concurrency: 3 }, async ([record]) => {
          if (record !== undefined) partitions.add(record.partition);
          most = Math.max(most, ++atWork);
          await new Promise((resolve) => setTimeout(resolve, 5));
          atWork--;
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
      it('takes nothing while it is paused', async () => {
        const topic = subject.name();
        const witness = await subscribe(bus, { topics: [topic] });
        const { inbox, subscription } = await subscribe(bus, { topics: [topic] });
        await bus.publish(topic, [text('1')]);
        await inbox.atLeast(1);
        subscription.pause();
        await bus.publish(topic, [text('2')]);
        await witness.inbox.atLeast(2);
        await nextTurn();
        expect(inbox.records.map(bodyOf)).toEqual(['1']);
        subscription.resume();

        expect((await inbox.atLeast(2)).map(bodyOf)).toEqual(['1', '2']);
      });

      it('that is closed finishes what it holds, acknowledges it and takes no more', async () => {
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
      it('has sent what was published before', async () => {
        const topic = subject.name();
        const { inbox } = await subscribe(await second(), { topics: [topic], maxBatchSize: 50 });
        const publishes = numbered('k', 50).map((record) => bus.publish(topic, [record]));
        await Promise.all([...publishes, bus.close()]);

        expect(await inbox.atLeast(50)).toHaveLength(50);
      });

      it('refuses to be used, and to be closed again does no harm', async () => {
        const topic = subject.name();
        await subscribe(bus, { topics: [topic] });
        await Promise.all([bus.close(), bus.close()]);
        await bus.close();

        await expect(bus.publish(topic, [text('late')])).rejects.toBeInstanceOf(BusClosedError);
        await expect(subscribe(bus, { topics: [topic] })).rejects.toBeInstanceOf(BusClosedError);
      });
    });

    describe('a broker that goes away', () => {
      it('makes publishing fail fast, and loses nothing that it acknowledged', async () => {
        const { broker } = subject;
        if (broker === undefined) return;
        const topic = subject.name();
        const { inbox } = await subscribe(bus, { topics: [topic], maxBatchSize: 20, concurrency: 2 });
        const stream = new PublishedStream(await keep(broker.hasty()), topic);
        await stream.acknowledges(50);
        await broker.stop();
        try {
          await stream.fails();
          expect(stream.slowestFailureMs).toBeLessThan(2_500);
          expect(stream.surprises).toEqual([]);
        } finally {
          await broker.start();
        }
        await stream.acknowledges(50);
        await stream.stop();

        await inbox.until(() => stream.acknowledged.every((body) => inbox.has(body)));
      });

      it('makes publishing fail in time where it stands still, whatever waits, and is used again when it moves', async () => {
        const { broker } = subject;
        if (broker === undefined) return;
        const topic = subject.name();
        const { inbox } = await subscribe(bus, { topics: [topic], maxBatchSize: 100, from: 'earliest' });
        const hasty = await keep(broker.hasty());
        const before = new PublishedStream(hasty, topic);
        await before.acknowledges(1);
        await before.stop();
        broker.freeze();
        try {
          // More than travel in one request, so that some wait behind others.
          const calls = () =>
            Array.from({ length: 3_000 }, (_, index) =>
              hasty
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
        const stream = new PublishedStream(hasty, topic);
        await stream.acknowledges(10);
        await stream.stop();
        await inbox.until(() => stream.acknowledged.every((body) => inbox.has(body)));
      });

      it('may be away when a bus is opened and used, which works once it is there', async () => {
        const { broker } = subject;
        if (broker === undefined) return;
        const topic = subject.name();
        await subscribe(bus, { topics: [topic] });
        await broker.stop();
        let late: Bus;
        let inbox: Inbox;
        try {
          late = await keep(broker.hasty());
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

/** What one subscription was given and accepted. */
class Inbox {
  readonly records: ReceivedRecord[] = [];
  readonly #bodies = new Set<string>();
  readonly #watchers = new Set<() => void>();

  add(records: readonly ReceivedRecord[]): void {
    for (const record of records) {
      this.records.push(record);
      this.#bodies.add(bodyOf(record));
    }
    for (const watcher of this.#watchers) watcher();
  }

  has(body: string): boolean {
    return this.#bodies.has(body);
  }

  async until(fulfilled: () => boolean): Promise<void> {
    await Inbox.#watch([this], fulfilled);
  }

  /** Different ones: a record that comes again does not count. */
  async atLeast(count: number): Promise<readonly ReceivedRecord[]> {
    await Inbox.together([this], count);
    return this.records;
  }

  static async together(inboxes: readonly Inbox[], count: number): Promise<void> {
    await Inbox.#watch(inboxes, () => {
      const places = inboxes.flatMap(({ records }) => records.map(placeOf));
      return new Set(places).size >= count;
    });
  }

  static async #watch(inboxes: readonly Inbox[], fulfilled: () => boolean): Promise<void> {
    if (fulfilled()) return;
    await new Promise<void>((resolve) => {
      const watcher = () => {
        if (!fulfilled()) return;
        for (const inbox of inboxes) inbox.#watchers.delete(watcher);
        resolve();
      };
      for (const inbox of inboxes) inbox.#watchers.add(watcher);
    });
  }
}

/** Publishes one record after the other, whatever becomes of them, until it is stopped. */
class PublishedStream {
  readonly acknowledged: string[] = [];
  /** Rejections other than that the broker is not available. */
  readonly surprises: unknown[] = [];
  slowestFailureMs = 0;
  #failures = 0;
  #stopped = false;
  readonly #settled = new Set<() => void>();
  readonly #done: Promise<void>;

  constructor(
    private readonly bus: Bus,
    private readonly topic: string,
  ) {
    this.#done = this.#run();
  }

  async acknowledges(more: number): Promise<void> {
    const goal = this.acknowledged.length + more;
    while (this.acknowledged.length < goal) await this.#nextOutcome();
  }

  async fails(): Promise<void> {
    const before = this.#failures;
    while (this.#failures < before + 2) await this.#nextOutcome();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    for (let index = 0; !this.#stopped; index++) {
      const body = `${this.topic}-${index}-${randomUUID()}`;
      const record = { key: String(index % 10), value: Buffer.from(body) };
      let failure: unknown;
      const tookMs = await timeTaken(() =>
        this.bus.publish(this.topic, [record]).catch((error: unknown) => (failure = error)),
      );
      if (failure === undefined) {
        this.acknowledged.push(body);
      } else {
        if (!(failure instanceof BrokerUnavailableError)) this.surprises.push(failure);
        this.#failures++;
        this.slowestFailureMs = Math.max(this.slowestFailureMs, tookMs);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      for (const settle of this.#settled) settle();
      this.#settled.clear();
    }
  }

  #nextOutcome(): Promise<void> {
    return new Promise((resolve) => this.#settled.add(resolve));
  }
}

function text(body: string): OutgoingRecord {
  return { value: Buffer.from(body) };
}

function numbered(key: string, count: number): OutgoingRecord[] {
  return Array.from({ length: count }, (_, index) => ({ key, value: Buffer.from(String(index)) }));
}

function bodyOf(record: ReceivedRecord): string {
  return record.value.toString();
}

function placeOf({ topic, partition, position }: ReceivedRecord): string {
  return `${topic}/${partition}/${position}`;
}

function firstDeliveries(records: readonly ReceivedRecord[]): ReceivedRecord[] {
  return [...new Map(records.toReversed().map((record) => [placeOf(record), record])).values()].toReversed();
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
