import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError } from '../../../src/bus/index.js';
import {
  FanoutClosedError,
  Publication,
  UnrecoverablePositionError,
  type HistoryOptions,
} from '../../../src/delivery/index.js';
import type { Fanout } from '../../../src/delivery/fanout.port.js';
import type { History, HistoryQuery, PublishConditions } from '../../../src/delivery/history/history.port.js';
import type { PublicationFields } from '../../../src/delivery/publications/publication.js';
import { timeTaken } from '../../support/time-taken.js';
import { type Elapse, retryWhenSlow } from '../../support/retry-when-slow.js';

export interface HistoryNode {
  readonly fanout: Fanout;
  readonly history: History;
  readonly inbox: HistoryInbox;
}

export interface HistorySubject {
  /** Opens a node whose publications and interruptions go to the inbox. */
  open(inbox: HistoryInbox): Promise<Pick<HistoryNode, 'fanout' | 'history'>>;
  readonly elapse: Elapse;
}

/** Faults that a test can cause in a store that several nodes share. */
export interface HistoryFaults {
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Closes every connection with subscriptions. The store keeps running. */
  cutSubscriptions(): Promise<void>;
  /** Whether the store keeps its data over a restart. */
  readonly keepsData: boolean;
}

export interface SharedHistorySubject extends HistorySubject {
  readonly faults: HistoryFaults;
}

/** Keeps the publications of a node, without those whose position it has received already. A test can wait for a condition. */
export class HistoryInbox {
  readonly publications: Publication[] = [];
  interruptions = 0;
  readonly #last = new Map<string, Publication>();
  #waiting: { readonly isDone: () => boolean; readonly resolve: () => void }[] = [];

  readonly handler = (arrived: Publication): void => {
    const last = this.#last.get(arrived.channel);
    if (arrived.offset > 0 && last?.epoch === arrived.epoch && last.offset >= arrived.offset) return;
    if (arrived.offset > 0) this.#last.set(arrived.channel, arrived);
    this.publications.push(arrived);
    this.#settle();
  };

  readonly onInterrupted = (): void => {
    this.interruptions++;
    this.#settle();
  };

  of(channel: string): Publication[] {
    return this.publications.filter((each) => each.channel === channel);
  }

  offsets(channel: string): number[] {
    return this.of(channel).map(({ offset }) => offset);
  }

  async until(isDone: () => boolean): Promise<void> {
    if (isDone()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ isDone, resolve });
    await promise;
  }

  #settle(): void {
    for (const { isDone, resolve } of this.#waiting) if (isDone()) resolve();
  }
}

const MINUTE_MS = 60_000;
const kept: HistoryOptions = { size: 5, ttlMs: MINUTE_MS, metaTtlMs: 10 * MINUTE_MS };
const all: HistoryQuery = { limit: -1, metaTtlMs: 10 * MINUTE_MS };
const upTo = (count: number, from = 1) =>
  Array.from({ length: count - from + 1 }, (_, index) => from + index);
const range = (count: number) => upTo(count);

let counter = 0;
const fresh = (name: string) => `${name}-${randomBytes(4).toString('hex')}-${counter++}`;

function publication(channel: string, text: string, extras: Partial<PublicationFields> = {}): Publication {
  const id = fresh('id');
  return new Publication({
    channel,
    data: Buffer.from(text),
    format: 'json',
    id,
    createdAt: 5,
    lane: 'direct',
    ...extras,
  });
}

/** Returns terms with which a message id is accepted once, as delivery publishes. */
function termsOf({ id }: Publication, terms: PublishConditions = { history: kept }): PublishConditions {
  return { idempotency: { key: `id:${id}`, ttlMs: MINUTE_MS }, ...terms };
}

async function publishUntilAccepted({ history }: HistoryNode, message: Publication): Promise<void> {
  for (;;) {
    try {
      await history.publish(message, termsOf(message));
      return;
    } catch (error) {
      if (!(error instanceof BrokerUnavailableError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Lets each test open nodes, and closes them after the test. */
function nodesOf<Subject extends HistorySubject>(prepare: () => Promise<Subject>) {
  const opened: HistoryNode[] = [];
  let subject: Subject;
  beforeEach(async () => {
    subject = await prepare();
  });
  afterEach(async () => {
    await Promise.all(
      opened.splice(0).map(async ({ fanout, history }) => {
        await history.close();
        await fanout.close();
      }),
    );
  });
  return {
    subject: () => subject,
    open: async (): Promise<HistoryNode> => {
      const inbox = new HistoryInbox();
      const node = { ...(await subject.open(inbox)), inbox };
      opened.push(node);
      return node;
    },
  };
}

/** The contract of the `History` port for a single node, for every adapter. */
export function describeHistory(name: string, prepare: () => Promise<HistorySubject>): void {
  describe(`${name} keeps the contract of History`, () => {
    const { open, subject } = nodesOf(prepare);
    let node: HistoryNode;
    let channel: string;
    const publish = (text: string, terms?: PublishConditions, extras?: Partial<PublicationFields>) => {
      const message = publication(channel, text, extras);
      return node.history.publish(message, termsOf(message, terms));
    };
    const texts = async (query: Partial<HistoryQuery> = {}) => {
      const { publications } = await node.history.read(channel, { ...all, ...query });
      return publications.map(({ data }) => data.toString());
    };

    beforeEach(async () => {
      node = await open();
      channel = fresh('channel');
    });

    it('assigns the next offset to each publication, and sends it with that offset', async () => {
      await node.fanout.subscribe(channel);
      const first = await publish('1');
      const second = await publish('2');
      expect(first).toEqual({ offset: 1, epoch: expect.stringMatching(/^[A-Za-z]{8}$/) });
      expect(second).toEqual({ offset: 2, epoch: first!.epoch });
      await node.inbox.until(() => node.inbox.publications.length === 2);
      expect(node.inbox.publications).toMatchObject([first!, second!]);
      expect((await node.history.read(channel, { ...all, limit: 0 })).publications).toEqual([]);
    });

    it('stores and sends a publication unchanged', async () => {
      const info = { user: 'u', client: 'c', connInfo: Buffer.from('{"a":1}'), chanInfo: Buffer.from('[]') };
      const extras = { info, tags: { lang: 'de' } };
      const data = Buffer.from([0, 255, 10]);
      const message = new Publication({
        channel,
        data,
        format: 'binary',
        id: 'm1',
        createdAt: 7,
        dueAt: 8,
        lane: 'delayed',
        expiresAt: 9_999_999_999_999,
        ...extras,
      });
      await node.fanout.subscribe(channel);
      const position = await node.history.publish(message, { history: kept });
      const page = await node.history.read(channel, all);
      expect(page).toEqual({
        ...position,
        publications: [{ offset: 1, data, format: 'binary', id: 'm1', createdAt: 7, ...extras }],
      });
      await node.inbox.until(() => node.inbox.publications.length === 1);
      expect(node.inbox.publications).toEqual([message.at(position!, undefined)]);
    });

    it('keeps as many publications as requested', async () => {
      for (const number of range(7)) await publish(String(number));
      expect(await texts()).toEqual(['3', '4', '5', '6', '7']);
      await publish('8', { history: { ...kept, size: 2 } });
      expect(await texts()).toEqual(['7', '8']);
    });

    it.each([
      [{}, [3, 4, 5, 6, 7]],
      [{ limit: 0 }, []],
      [{ limit: 2 }, [3, 4]],
      [{ limit: 2, reverse: true }, [7, 6]],
      [{ limit: 99 }, [3, 4, 5, 6, 7]],
      [{ since: 5 }, [6, 7]],
      [{ since: 5, limit: 1 }, [6]],
      [{ since: 1 }, [3, 4, 5, 6, 7]],
      [{ since: 0 }, [3, 4, 5, 6, 7]],
      [{ since: 7 }, []],
      [{ since: 50 }, []],
      [{ since: 6, reverse: true }, [5, 4, 3]],
      [{ since: 6, reverse: true, limit: 2 }, [5, 4]],
      [{ since: 8, reverse: true, limit: 2 }, [7, 6]],
      [{ since: 50, reverse: true }, []],
      [{ since: 3, reverse: true }, []],
      [{ since: 1, reverse: true }, []],
      [{ since: 0, reverse: true }, []],
    ] as [Partial<Omit<HistoryQuery, 'since'>> & { since?: number }, number[]][])(
      'reads %j',
      async (query, expected) => {
        for (const number of range(7)) await publish(String(number));
        const { epoch } = await node.history.read(channel, { ...all, limit: 0 });
        const { since, ...rest } = query;
        for (const asked of [epoch, '']) {
          const page = await node.history.read(channel, {
            ...all,
            ...rest,
            ...(since === undefined ? {} : { since: { offset: since, epoch: asked } }),
          });
          expect(page.publications.map(({ offset }) => offset)).toEqual(expected);
          expect(page).toMatchObject({ offset: 7, epoch });
        }
      },
    );

    it('refuses a position of a different epoch', async () => {
      await publish('1');
      for (const limit of [-1, 0, 10]) {
        const reading = node.history.read(channel, {
          ...all,
          limit,
          since: { offset: 0, epoch: 'otherepo' },
        });
        await expect(reading).rejects.toThrow(UnrecoverablePositionError);
      }
    });

    it('starts when a channel is first read', async () => {
      const { epoch, offset } = await node.history.read(channel, { ...all, limit: 0 });
      expect(offset).toBe(0);
      expect(await publish('1')).toEqual({ offset: 1, epoch });
    });

    it('drops publications when their time has expired, and continues with the next offset', async () => {
      await retryWhenSlow(1_000, subject().elapse, async (ttlMs, elapse) => {
        channel = fresh('brief');
        const brief = { history: { ...kept, ttlMs } };
        const first = await publish('1', brief);
        await elapse(ttlMs * 0.6);
        await publish('2', brief);
        await elapse(ttlMs * 0.6);
        expect(await texts()).toEqual(['1', '2']);
        await elapse(ttlMs * 0.6);
        expect(await node.history.read(channel, all)).toEqual({
          offset: 2,
          epoch: first!.epoch,
          publications: [],
        });
        expect(await publish('3', brief)).toEqual({ offset: 3, epoch: first!.epoch });
        expect(await texts()).toEqual(['3']);
      });
    });

    it('ends a page early that would have too many bytes, in both directions, and the rest can be read', async () => {
      const text = (letter: string) => JSON.stringify(letter.repeat(1_000));
      const stored = ['a', 'b', 'c', 'd', 'e'].map(text);
      for (const each of stored) await publish(each);
      const read = async (more: Partial<HistoryQuery>) => {
        const page = await node.history.read(channel, { ...all, ...more });
        return { ...page, texts: page.publications.map(({ data }) => data.toString()) };
      };
      const first = await read({ maxBytes: 2_800 });
      expect(first.texts).toEqual(stored.slice(0, 2));
      expect(first.offset).toBe(5);
      const { epoch } = first;
      const since = { offset: first.publications.at(-1)!.offset, epoch };
      expect((await read({ maxBytes: 10_000, since })).texts).toEqual(stored.slice(2));
      expect((await read({ maxBytes: 2_800, reverse: true })).texts).toEqual(stored.slice(3).toReversed());
      expect((await read({ maxBytes: 1 })).texts).toEqual(stored.slice(0, 1));
      expect((await read({ maxBytes: 100_000, limit: 4 })).texts).toEqual(stored.slice(0, 4));
    });

    it('forgets its position when its time has expired, and starts a new epoch', async () => {
      await retryWhenSlow(1_000, subject().elapse, async (metaTtlMs, elapse) => {
        channel = fresh('brief');
        const brief = { history: { ...kept, metaTtlMs } };
        const first = await publish('1', brief);
        await elapse(metaTtlMs * 0.6);
        const state = await node.history.read(channel, { limit: 0, metaTtlMs });
        expect(state.epoch).toBe(first!.epoch);
        await elapse(metaTtlMs * 0.6);
        expect(await publish('2', brief)).toEqual({ offset: 2, epoch: first!.epoch });
        await elapse(metaTtlMs * 1.2);
        const later = await publish('3', brief);
        expect(later!.offset).toBe(1);
        expect(later!.epoch).not.toBe(first!.epoch);
        expect(await texts()).toEqual(['3']);
      });
    });

    it('removes publications and keeps its position', async () => {
      await publish('1');
      const second = await publish('2');
      await node.history.remove(channel);
      await node.history.remove(fresh('never used'));
      expect(await node.history.read(channel, all)).toEqual({ ...second, publications: [] });
      expect(await publish('3')).toEqual({ offset: 3, epoch: second!.epoch });
      expect(await texts()).toEqual(['3']);
    });

    it.each([{ history: kept }, {}])(
      'sends publications with the same idempotency key once, with the terms %j',
      async (terms) => {
        await retryWhenSlow(400, subject().elapse, async (ttlMs, elapse) => {
          channel = fresh('keyed');
          const keyed = { ...terms, idempotency: { key: 'k', ttlMs } };
          await node.fanout.subscribe(channel);
          const first = await publish('1', keyed);
          const position = 'history' in terms ? { offset: 1, epoch: first!.epoch } : undefined;
          expect(first).toEqual(position);
          await publish('2');
          expect(await publish('3', keyed)).toEqual(position);
          await elapse(ttlMs * 1.25);
          await publish('4', keyed);
          const received = () => node.inbox.of(channel).map(({ data }) => data.toString());
          await node.inbox.until(() => received().at(-1) === '4');
          expect(received()).toEqual(['1', '2', '4']);
        });
      },
    );

    it('separates the idempotency keys of different channels', async () => {
      const first = channel;
      for (const [of, key] of [
        [first, 'b:c'],
        [`${first}:b`, 'c'],
        [`${first}:b:c`, ''],
      ] as const) {
        channel = of;
        const position = await publish('1', { history: kept, idempotency: { key, ttlMs: MINUTE_MS } });
        expect(position!.offset).toBe(1);
      }
    });

    it('drops a publication whose version is not newer', async () => {
      const version = (number: number, epoch = '') => ({ history: kept, version: { number, epoch } });
      const offsets: number[] = [];
      for (const terms of [
        version(5),
        version(5),
        version(4),
        version(6),
        version(1, 'e2'),
        version(1, 'e2'),
        version(1),
        version(2, 'e2'),
        { history: kept },
        version(2, 'e2'),
      ])
        offsets.push((await publish('{}', terms))!.offset);
      expect(offsets).toEqual([1, 1, 1, 2, 3, 3, 3, 4, 5, 5]);
    });

    it('sends the previous data along if deltas are requested', async () => {
      await node.fanout.subscribe(channel);
      await publish('first', undefined, { delta: true });
      await publish('second');
      await publish('third', undefined, { delta: true });
      await node.history.remove(channel);
      await publish('fourth', undefined, { delta: true });
      await node.inbox.until(() => node.inbox.publications.length === 4);
      expect(node.inbox.publications.map(({ previous, delta }) => [delta, previous?.toString()])).toEqual([
        [true, undefined],
        [false, undefined],
        [true, 'second'],
        [true, undefined],
      ]);
    });

    it('sends publications with and without history in one order', async () => {
      await node.fanout.subscribe(channel);
      const sending = range(100).map((number) => {
        const message = publication(channel, String(number));
        return number % 3 === 0
          ? node.fanout.publish(message)
          : node.history.publish(message, termsOf(message));
      });
      await Promise.all(sending);
      await node.inbox.until(() => node.inbox.publications.length === 100);
      expect(node.inbox.publications.map(({ data }) => Number(data))).toEqual(range(100));
    });

    it('accepts any text as channel and as key', async () => {
      const names = ['{a}', 'a}b', '}{', ' ü🔔', 'a:b', '*', '\\', "'", '$ns:x#1,2'].map(
        (odd) => `${channel}${odd}`,
      );
      for (const [index, odd] of names.entries()) {
        channel = odd;
        await publish(String(index), { history: kept, idempotency: { key: odd, ttlMs: MINUTE_MS } });
      }
      for (const [index, odd] of names.entries()) {
        channel = odd;
        expect(await texts()).toEqual([String(index)]);
      }
    });

    it('refuses calls after it is closed', async () => {
      await node.history.close();
      await node.fanout.close();
      await node.history.close();
      await expect(publish('late')).rejects.toThrow(FanoutClosedError);
      await expect(node.history.read(channel, all)).rejects.toThrow(FanoutClosedError);
      await expect(node.history.remove(channel)).rejects.toThrow(FanoutClosedError);
    });
  });
}

/** Additional promises of the port for nodes that share a store. */
export function describeSharedHistory(name: string, prepare: () => Promise<SharedHistorySubject>): void {
  describe(`${name} keeps the contract of History between nodes`, () => {
    const { open, subject } = nodesOf(prepare);

    it('numbers the publications of four publishers on two nodes, and every subscriber receives them in that order', async () => {
      const nodes = [await open(), await open()];
      const channel = fresh('busy');
      await Promise.all(nodes.map(({ fanout }) => fanout.subscribe(channel)));
      const positions = await Promise.all(
        range(4).flatMap((publisher) =>
          range(250).map((number) => {
            const message = publication(channel, `${publisher}.${number}`);
            const history = { ...kept, size: 2_000 };
            return nodes[publisher % 2]!.history.publish(message, termsOf(message, { history }));
          }),
        ),
      );
      expect(positions.map((position) => position!.offset).toSorted((a, b) => a - b)).toEqual(range(1_000));
      expect(new Set(positions.map((position) => position!.epoch)).size).toBe(1);
      await Promise.all(nodes.map(({ inbox }) => inbox.until(() => inbox.publications.length === 1_000)));
      const [one, other] = nodes.map(({ inbox }) => inbox.publications.map(({ data }) => data.toString()));
      expect(nodes.map(({ inbox }) => inbox.offsets(channel))).toEqual([range(1_000), range(1_000)]);
      expect(one).toEqual(other);
      const { publications } = await nodes[0]!.history.read(channel, all);
      expect(publications.map(({ data }) => data.toString())).toEqual(one);
    });

    it('leaves no gap between the history and the live publications of a subscription', async () => {
      const [publisher, reader] = [await open(), await open()];
      for (let round = 0; round < 20; round++) {
        const channel = fresh('join');
        const history = { ...kept, size: 1_000 };
        const publishing = (async () => {
          for (const number of range(60)) {
            const message = publication(channel, String(number));
            await publisher.history.publish(message, termsOf(message, { history }));
          }
        })();
        await reader.fanout.subscribe(channel);
        const { publications, offset } = await reader.history.read(channel, all);
        await publishing;
        await reader.inbox.until(() => offset === 60 || reader.inbox.offsets(channel).includes(60));
        const read = publications.map((each) => each.offset);
        const live = reader.inbox.offsets(channel).filter((each) => each > offset);
        expect([...read, ...live]).toEqual(range(60));
        reader.fanout.unsubscribe(channel);
      }
    });

    it('accepts an idempotency key once across all nodes', async () => {
      const nodes = [await open(), await open()];
      const channel = fresh('once');
      const positions = await Promise.all(
        range(20).map((number) =>
          nodes[number % 2]!.history.publish(publication(channel, '1'), {
            history: kept,
            idempotency: { key: 'k', ttlMs: MINUTE_MS },
          }),
        ),
      );
      expect(new Set(positions.map((position) => position!.offset))).toEqual(new Set([1]));
    });

    it('keeps the order for a node that was disconnected, and reports the interruption to it', async () => {
      const { faults } = subject();
      const [publisher, receiver] = [await open(), await open()];
      const channel = fresh('cut');
      await receiver.fanout.subscribe(channel);
      for (let round = 0; round < 3; round++) {
        const { interruptions } = receiver.inbox;
        const cut = faults.cutSubscriptions();
        for (const number of range(200))
          await publishUntilAccepted(publisher, publication(channel, String(number)));
        await cut;
        await receiver.inbox.until(() => receiver.inbox.interruptions > interruptions);
      }
      await receiver.inbox.until(() => receiver.inbox.publications.length === 600);
      expect(receiver.inbox.offsets(channel)).toEqual(range(600));
    });
  });
}

/** Additional promises of the port for a store that can stop. */
export function describeStoppedHistory(name: string, prepare: () => Promise<SharedHistorySubject>): void {
  describe(`${name} keeps the contract of History over an outage of its store`, () => {
    const { open, subject } = nodesOf(prepare);

    it('has a new epoch after a restart if it has lost data', async () => {
      const { faults } = subject();
      const [publisher, receiver] = [await open(), await open()];
      const channel = fresh('restart');
      await receiver.fanout.subscribe(channel);
      for (const number of range(3))
        await publishUntilAccepted(publisher, publication(channel, String(number)));
      await receiver.inbox.until(() => receiver.inbox.publications.length === 3);
      const before = await receiver.history.read(channel, all);
      await faults.kill();
      const message = publication(channel, 'x');
      const tookMs = await timeTaken(async () => {
        for (const call of [
          publisher.history.publish(message, termsOf(message)),
          publisher.history.read(channel, all),
          publisher.history.remove(channel),
        ])
          await expect(call).rejects.toThrow(BrokerUnavailableError);
      });
      expect(tookMs).toBeLessThan(2_000);
      const interrupted = receiver.inbox.until(() => receiver.inbox.interruptions > 0);
      await faults.restart();
      await interrupted;
      const last = publication(channel, 'last');
      await publishUntilAccepted(publisher, last);
      await receiver.inbox.until(() => receiver.inbox.publications.some(({ id }) => id === last.id));
      const after = await receiver.history.read(channel, all);
      const { epoch } = receiver.inbox.publications.at(-1)!;
      expect(after.epoch).toBe(epoch);
      expect(after.epoch === before.epoch).toBe(faults.keepsData);
      const offsets = after.publications.map(({ offset }) => offset);
      expect(offsets).toEqual(upTo(after.offset, offsets[0]));
      const lost = { ...all, since: { offset: 3, epoch: before.epoch } };
      const reading = receiver.history.read(channel, lost).then(
        ({ publications }) => publications.map(({ data }) => data.toString()),
        (error: unknown) => error,
      );
      expect(await reading).toEqual(faults.keepsData ? ['last'] : new UnrecoverablePositionError());
    });
  });
}
