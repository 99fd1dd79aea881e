import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError, BusClosedError, type RetryRecord } from '../../../src/bus/index.js';
import { newMessageId } from '../../../src/message/index.js';
import type { RetryOutcome, RetryHandler, RetryStore } from '../../../src/bus/retries/retry-store.port.js';
import type { DeadLetterLimits } from '../../../src/bus/retries/retry-store.options.js';
import { EventLog } from '../../support/event-log.js';
import { timeTaken } from '../../support/time-taken.js';

export interface RetryStoreSubject {
  readonly retryStore: RetryStore;
  /** Opens another one on the same store, like another process. Absent if a store belongs to one process. */
  another?(): Promise<RetryStore>;
  /** Opens the store again after `retryStore` was closed. Absent if the store is not durable. */
  reopen?(): Promise<RetryStore>;
  /** Lets the leases of `retryStore` expire, as if its process had died. Absent if there are no leases. */
  die?(): Promise<void>;
  /** Present if the store can be stopped. */
  readonly store?: { stop(): Promise<void>; start(): Promise<void> };
}

const MANY = 1_000;
const handled: RetryOutcome = { kind: 'handled' };
const dead: RetryOutcome = { kind: 'dead' };

/** The contract of the `RetryStore` port, for every adapter. */
export function describeRetryStore(
  name: string,
  open: (limits: Partial<DeadLetterLimits>) => Promise<RetryStoreSubject>,
): void {
  describe(`${name} keeps the contract of RetryStore`, () => {
    let subject: RetryStoreSubject;
    let retryStore: RetryStore;
    let opened: RetryStore[];
    let group: string;
    let tried: EventLog<RetryRecord>;

    const begin = async (limits: Partial<DeadLetterLimits> = {}) => {
      subject = await open(limits);
      retryStore = subject.retryStore;
      opened.push(retryStore);
    };
    beforeEach(async () => {
      opened = [];
      await begin();
      group = `g-${randomUUID()}`;
      tried = new EventLog();
    });
    afterEach(() => Promise.all(opened.map((each) => each.close())));

    const keep = async (opening: Promise<RetryStore>) => {
      const another = await opening;
      opened.push(another);
      return another;
    };
    const record = (more: Partial<RetryRecord> = {}): RetryRecord => ({
      id: newMessageId(),
      group,
      driver: 'memory',
      topic: 't',
      partition: 3,
      position: '17',
      key: 'clé',
      headers: { plain: 'a', schräg: 'ü€' },
      value: Buffer.from([0, 255, 10, 0xc3, 0x28]),
      publishedAt: 1_700_000_000_000,
      state: 'waiting',
      dueAt: Date.now(),
      attempts: 1,
      givenUp: false,
      failure: { code: 'x', message: 'why' },
      firstFailedAt: 1,
      lastFailedAt: 2,
      ...more,
    });
    const recording =
      (outcomeOf: (record: RetryRecord) => RetryOutcome | Promise<RetryOutcome>): RetryHandler =>
      async (each) => {
        tried.add(each);
        return outcomeOf(each);
      };
    const again = (each: RetryRecord, dueAt: number): RetryOutcome => ({
      kind: 'retry',
      dueAt,
      attempts: each.attempts + 1,
      failure: { code: 'again', message: 'still' },
      failedAt: Date.now(),
      givenUp: false,
    });
    const deadLetter = async (...records: RetryRecord[]) => {
      await retryStore.add(records, MANY);
      const consumer = await retryStore.consume(
        group,
        { concurrency: 1 },
        recording(() => dead),
      );
      await tried.until((all) => records.every(({ id }) => all.some((each) => each.id === id)));
      await consumer.close();
    };
    const ids = () => tried.entries.map(({ id }) => id);

    it('hands over a record unchanged, when it is due, and once', async () => {
      const dueAt = Date.now() + 60;
      const [late, now] = [record({ dueAt }), record()];
      expect(await retryStore.add([late, now], MANY)).toBe(true);
      expect(await retryStore.add([{ ...now, attempts: 9 }], MANY)).toBe(true);
      await retryStore.consume(
        group,
        { concurrency: 5 },
        recording(() => handled),
      );
      expect(await tried.atLeast(2)).toEqual([now, late]);
      expect(Date.now()).toBeGreaterThanOrEqual(dueAt);
      expect(tried.entries[0]?.value.equals(now.value)).toBe(true);
      await gone(retryStore, late.id);
      expect(ids()).toEqual([now.id, late.id]);
    });

    it('retries at the time and with the failure of the outcome', async () => {
      const each = record();
      const dueAt = Date.now() + 40;
      const first = recording((now) => (now.attempts < 3 ? again(now, dueAt) : handled));
      await retryStore.consume(group, { concurrency: 1 }, first);
      await retryStore.add([each], MANY);
      const [, second, third] = await tried.atLeast(3);
      expect(second).toMatchObject({ attempts: 2, failure: { code: 'again' }, firstFailedAt: 1 });
      expect(third?.attempts).toBe(3);
      expect(Date.now()).toBeGreaterThanOrEqual(dueAt);
    });

    it('does not count a rejection as an attempt', async () => {
      let rejections = 1;
      const handler = recording(() => {
        if (rejections-- > 0) throw new Error('not now');
        return handled;
      });
      await retryStore.consume(group, { concurrency: 1 }, handler);
      await retryStore.add([record()], MANY);
      const [first, second] = await tried.atLeast(2);
      expect(second).toEqual(first);
    });

    it('hands over the records of one ordering key in order, one at a time, and continues after a dead letter', async () => {
      const orderingKey = 'a';
      const inOrder = Array.from({ length: 5 }, () => record({ orderingKey }));
      const other = record({ orderingKey: 'b' });
      await retryStore.add([...inOrder.slice(0, 3), other], MANY);
      await retryStore.add(inOrder.slice(3), MANY);
      expect(await retryStore.blockedKeys(group, ['a', 'b', 'c'])).toEqual(new Set(['a', 'b']));
      expect(await retryStore.blockedKeys(`${group}'`, ['a'])).toEqual(new Set());
      let atOnce = 0;
      let most = 0;
      const handler = recording(async (each) => {
        if (each.orderingKey === orderingKey) most = Math.max(most, ++atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        if (each.orderingKey === orderingKey) atOnce--;
        if (each.id === inOrder[0]?.id && each.attempts < 2) return again(each, Date.now() + 30);
        return each.id === inOrder[2]?.id ? dead : handled;
      });
      await retryStore.consume(group, { concurrency: 4 }, handler);
      await tried.atLeast(7);
      const order = ids().filter((id) => id !== other.id);
      expect(order).toEqual([inOrder[0]?.id, ...inOrder.map(({ id }) => id)]);
      expect(most).toBe(1);
      await gone(retryStore, inOrder[4]?.id ?? '');
      expect(await retryStore.blockedKeys(group, ['a', 'b'])).toEqual(new Set());
    });

    it('adds all of several records or none, up to the limit', async () => {
      const five = Array.from({ length: 5 }, () => record());
      expect(await retryStore.add(five.slice(0, 3), 4)).toBe(true);
      expect(await retryStore.add(five.slice(3), 4)).toBe(false);
      expect(await retryStore.find(five[3]?.id ?? '')).toBeUndefined();
      expect(await retryStore.add(five.slice(3, 4), 4)).toBe(true);
      await retryStore.consume(
        group,
        { concurrency: 9 },
        recording(() => handled),
      );
      await tried.atLeast(4);
      await gone(retryStore, five[3]?.id ?? '');
      expect(await retryStore.add(five.slice(4), 4)).toBe(true);
    });

    it('lists dead letters by group, by topic and by both, in pages', async () => {
      const deadLetters = Array.from({ length: 5 }, (_, index) => record({ topic: index < 2 ? 't' : 'u' }));
      const waiting = record();
      await deadLetter(...deadLetters);
      await retryStore.add([waiting], MANY);
      const all = deadLetters.map(({ id }) => id).toSorted();
      const list = async (query: object) =>
        (await retryStore.list({ limit: 100, ...query })).records.map(({ id }) => id);
      expect(await list({ group })).toEqual(all);
      expect(await list({ group, topic: 't' })).toEqual(deadLetters.slice(0, 2).map(({ id }) => id));
      expect(await list({ topic: 'u' })).toEqual(deadLetters.slice(2).map(({ id }) => id));
      expect(await list({ group: 'other' })).toEqual([]);
      expect(await list({})).toEqual(all);

      const first = await retryStore.list({ group, limit: 3 });
      expect(first.records.map(({ state, failure }) => [state, failure?.code])).toEqual(
        Array.from({ length: 3 }, () => ['dead', 'x']),
      );
      const rest = await retryStore.list({ group, limit: 3, ...(first.next ? { cursor: first.next } : {}) });
      expect([...first.records, ...rest.records].map(({ id }) => id)).toEqual(all);
      expect(rest).not.toHaveProperty('next');
    });

    it('lists no bodies, and ends a page early whose dead letters are large', async () => {
      const key = 'k'.repeat(100_000);
      const deadLetters = Array.from({ length: 15 }, () => record({ key }));
      await deadLetter(...deadLetters);
      const first = await retryStore.list({ group, limit: 1_000 });
      expect(first.records.length).toBeLessThan(deadLetters.length);
      expect(first.records[0]).toMatchObject({ topic: 't', event: 't', partition: 3, attempts: 1 });
      for (const hidden of ['value', 'headers']) expect(first.records[0]).not.toHaveProperty(hidden);
      const rest = await retryStore.list({
        group,
        limit: 1_000,
        ...(first.next ? { cursor: first.next } : {}),
      });
      expect([...first.records, ...rest.records]).toHaveLength(deadLetters.length);
    });

    it('drops the dead letters that died first when there are too many, and counts them', async () => {
      await begin({ maxDeadLetters: 2 });
      const four = Array.from({ length: 4 }, () => record());
      for (const each of four.toReversed()) await deadLetter(each);
      const [first, second, third, fourth] = four;
      expect((await retryStore.list({ limit: 10 })).records.map(({ id }) => id)).toEqual([
        first?.id,
        second?.id,
      ]);
      for (const dropped of [third, fourth]) {
        expect(await retryStore.find(dropped?.id ?? '')).toBeUndefined();
        expect(await retryStore.redrive(dropped?.id ?? '')).toBe(false);
      }
      expect(await retryStore.usage()).toMatchObject({ deadLetters: 2, dropped: 2 });
      expect((await retryStore.list({ group, topic: 't', limit: 10 })).records).toHaveLength(2);
    });

    it('drops dead letters that are too large together', async () => {
      await begin({ maxDeadLetterBytes: 10_000 });
      const three = Array.from({ length: 3 }, () => record({ value: Buffer.alloc(4_000) }));
      for (const each of three) await deadLetter(each);
      const { deadLetters, bytes, dropped } = await retryStore.usage();
      expect([deadLetters, dropped]).toEqual([2, 1]);
      expect(bytes).toBeGreaterThan(8_000);
      expect(bytes).toBeLessThanOrEqual(10_000);
      for (const { id } of three.slice(1)) expect(await retryStore.drop(id)).toBe(true);
      expect(await retryStore.usage()).toEqual({ deadLetters: 0, bytes: 0, dropped: 1 });
    });

    it('drops dead letters that are too old', async () => {
      await begin({ deadLetterTtlMs: 1 });
      const [first, second] = [record(), record()];
      await deadLetter(first);
      await deadLetter(second);
      expect(await retryStore.find(first.id)).toBeUndefined();
    });

    it('redrives and drops dead letters only, and only once', async () => {
      const [kept, redriven, dropped] = [record(), record({ orderingKey: 'a' }), record()];
      await deadLetter(redriven, dropped);
      const before = record({ orderingKey: 'a', dueAt: Date.now() + 50 });
      await retryStore.add([kept, before], MANY);
      expect(await retryStore.find(redriven.id)).toMatchObject({ state: 'dead' });
      for (const id of [kept.id, 'unknown', newMessageId()]) {
        expect(await retryStore.redrive(id)).toBe(false);
        expect(await retryStore.drop(id)).toBe(false);
      }
      expect(await Promise.all([retryStore.redrive(redriven.id), retryStore.redrive(redriven.id)])).toContain(
        true,
      );
      expect(await retryStore.drop(dropped.id)).toBe(true);
      expect(await retryStore.drop(dropped.id)).toBe(false);
      expect(await retryStore.find(dropped.id)).toBeUndefined();
      expect((await retryStore.list({ group, limit: 10 })).records).toEqual([]);

      await retryStore.consume(
        group,
        { concurrency: 5 },
        recording(() => handled),
      );
      await tried.until(() => ids().filter((id) => id === redriven.id).length === 2);
      expect(ids().slice(2)).toEqual([kept.id, before.id, redriven.id]);
      expect(tried.entries.at(-1)).toMatchObject({ attempts: 0, givenUp: false, state: 'waiting' });
    });

    it('hands each record to one process', async () => {
      if (subject.another === undefined) return;
      const second = await keep(subject.another());
      const records = Array.from({ length: 40 }, () => record());
      for (const each of [retryStore, second])
        await each.consume(
          group,
          { concurrency: 3 },
          recording(() => handled),
        );
      await retryStore.add(records, MANY);
      await tried.atLeast(40);
      await Promise.all(records.map(({ id }) => gone(retryStore, id)));
      expect(ids().toSorted()).toEqual(records.map(({ id }) => id).toSorted());
    });

    it('hands the records of a dead process to another one', async () => {
      if (subject.another === undefined || subject.die === undefined) return;
      const held = Promise.withResolvers<RetryOutcome>();
      await retryStore.consume(
        group,
        { concurrency: 1 },
        recording(() => held.promise),
      );
      const [first, behind] = [record({ orderingKey: 'a' }), record({ orderingKey: 'a' })];
      await retryStore.add([first, behind], MANY);
      await tried.atLeast(1);
      await subject.die();
      const second = await keep(subject.another());
      await second.consume(
        group,
        { concurrency: 1 },
        recording(() => handled),
      );
      await tried.atLeast(3);
      expect(ids()).toEqual([first.id, first.id, behind.id]);
      held.resolve(again(first, Date.now()));
      await gone(second, behind.id);
      expect(await second.find(first.id)).toBeUndefined();
    });

    it('keeps everything over a restart, if its store is durable', async () => {
      if (subject.reopen === undefined) return;
      const [waiting, deadRecord] = [record({ orderingKey: 'a' }), record()];
      await deadLetter(deadRecord);
      await retryStore.add([waiting], MANY);
      await retryStore.close();
      const later = await keep(subject.reopen());
      expect((await later.list({ group, limit: 10 })).records).toMatchObject([{ id: deadRecord.id }]);
      await later.consume(
        group,
        { concurrency: 1 },
        recording(() => handled),
      );
      await tried.until(() => ids().includes(waiting.id));
    });

    it('fails fast while its store is unavailable, and continues when it is back', async () => {
      const { store } = subject;
      if (store === undefined) return;
      await retryStore.consume(
        group,
        { concurrency: 1 },
        recording(() => handled),
      );
      await retryStore.add([record()], MANY);
      await tried.atLeast(1);
      await store.stop();
      const tookMs = await timeTaken(async () => {
        for (const call of [
          retryStore.add([record()], MANY),
          retryStore.find('x'),
          retryStore.list({ limit: 1 }),
        ])
          await expect(call).rejects.toBeInstanceOf(BrokerUnavailableError);
      });
      expect(tookMs).toBeLessThan(3_000);
      await store.start();
      const late = record();
      while (!(await retryStore.add([late], MANY).catch(() => false)))
        await new Promise((resolve) => setTimeout(resolve, 20));
      await tried.until(() => ids().includes(late.id));
    });

    it('may be closed twice, and refuses later calls', async () => {
      await Promise.all([retryStore.close(), retryStore.close()]);
      for (const call of [
        retryStore.add([record()], MANY),
        retryStore.find('x'),
        retryStore.redrive('x'),
        retryStore.consume(
          group,
          { concurrency: 1 },
          recording(() => handled),
        ),
      ])
        await expect(call).rejects.toBeInstanceOf(BusClosedError);
    });
  });
}

/** Resolves when the record is no longer stored, which is shortly after its handler has resolved. */
async function gone(retryStore: RetryStore, id: string): Promise<void> {
  while ((await retryStore.find(id)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
}
