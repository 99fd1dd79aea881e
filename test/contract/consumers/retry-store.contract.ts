import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError, BusClosedError, type ParkedRecord } from '../../../src/bus/index.js';
import { newMessageId } from '../../../src/message/index.js';
import type { Fate, ParkedHandler, ParkedRecords } from '../../../src/bus/retries/retry-store.port.js';
import { Journal } from '../../support/event-log.js';
import { timeTaken } from '../../support/time-taken.js';

export interface ParkedSubject {
  readonly parked: ParkedRecords;
  /** A further one on the same store, as another process has it. Absent where a store belongs to one process. */
  another?(): Promise<ParkedRecords>;
  /** Opens the store again after `parked` was closed. Absent where it forgets. */
  reopen?(): Promise<ParkedRecords>;
  /** Ends the leases of `parked` without its doing, as if its process had died. Absent where there are none. */
  die?(): Promise<void>;
  /** Present where the store can be taken away. */
  readonly store?: { stop(): Promise<void>; start(): Promise<void> };
}

const MANY = 1_000;
const handled: Fate = { kind: 'handled' };
const dead: Fate = { kind: 'dead' };

/** The promises of the `ParkedRecords` port, for any adapter. */
export function describeParkedRecords(name: string, open: () => Promise<ParkedSubject>): void {
  describe(`${name} keeps the contract of ParkedRecords`, () => {
    let subject: ParkedSubject;
    let parked: ParkedRecords;
    let opened: ParkedRecords[];
    let group: string;
    let tried: Journal<ParkedRecord>;

    beforeEach(async () => {
      subject = await open();
      parked = subject.parked;
      opened = [parked];
      group = `g-${randomUUID()}`;
      tried = new Journal();
    });
    afterEach(() => Promise.all(opened.map((each) => each.close())));

    const keep = async (opening: Promise<ParkedRecords>) => {
      const another = await opening;
      opened.push(another);
      return another;
    };
    const record = (more: Partial<ParkedRecord> = {}): ParkedRecord => ({
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
    const noting =
      (fateOf: (record: ParkedRecord) => Fate | Promise<Fate>): ParkedHandler =>
      async (each) => {
        tried.add(each);
        return fateOf(each);
      };
    const again = (each: ParkedRecord, dueAt: number): Fate => ({
      kind: 'again',
      dueAt,
      attempts: each.attempts + 1,
      failure: { code: 'again', message: 'still' },
      failedAt: Date.now(),
      givenUp: false,
    });
    const bury = async (...records: ParkedRecord[]) => {
      await parked.park(records, MANY);
      const consumer = await parked.consume(
        group,
        { concurrency: 1 },
        noting(() => dead),
      );
      await tried.until((all) => records.every(({ id }) => all.some((each) => each.id === id)));
      await consumer.close();
    };
    const ids = () => tried.entries.map(({ id }) => id);

    it('hands a record over as it was parked, when it is due, and once', async () => {
      const dueAt = Date.now() + 60;
      const [late, now] = [record({ dueAt }), record()];
      expect(await parked.park([late, now], MANY)).toBe(true);
      expect(await parked.park([{ ...now, attempts: 9 }], MANY)).toBe(true);
      await parked.consume(
        group,
        { concurrency: 5 },
        noting(() => handled),
      );
      expect(await tried.atLeast(2)).toEqual([now, late]);
      expect(Date.now()).toBeGreaterThanOrEqual(dueAt);
      expect(tried.entries[0]?.value.equals(now.value)).toBe(true);
      await gone(parked, late.id);
      expect(ids()).toEqual([now.id, late.id]);
    });

    it('tries again when it is told to, with what it was told', async () => {
      const each = record();
      const dueAt = Date.now() + 40;
      const first = noting((now) => (now.attempts < 3 ? again(now, dueAt) : handled));
      await parked.consume(group, { concurrency: 1 }, first);
      await parked.park([each], MANY);
      const [, second, third] = await tried.atLeast(3);
      expect(second).toMatchObject({ attempts: 2, failure: { code: 'again' }, firstFailedAt: 1 });
      expect(third?.attempts).toBe(3);
      expect(Date.now()).toBeGreaterThanOrEqual(dueAt);
    });

    it('takes a rejection for no try at all', async () => {
      let rejections = 1;
      const handler = noting(() => {
        if (rejections-- > 0) throw new Error('not now');
        return handled;
      });
      await parked.consume(group, { concurrency: 1 }, handler);
      await parked.park([record()], MANY);
      const [first, second] = await tried.atLeast(2);
      expect(second).toEqual(first);
    });

    it('keeps a line in order, one at a time, past one that dies', async () => {
      const line = 'a';
      const inLine = Array.from({ length: 5 }, () => record({ line }));
      const other = record({ line: 'b' });
      await parked.park([...inLine.slice(0, 3), other], MANY);
      await parked.park(inLine.slice(3), MANY);
      expect(await parked.occupied(group, ['a', 'b', 'c'])).toEqual(new Set(['a', 'b']));
      expect(await parked.occupied(`${group}'`, ['a'])).toEqual(new Set());
      let atOnce = 0;
      let most = 0;
      const handler = noting(async (each) => {
        if (each.line === line) most = Math.max(most, ++atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        if (each.line === line) atOnce--;
        if (each.id === inLine[0]?.id && each.attempts < 2) return again(each, Date.now() + 30);
        return each.id === inLine[2]?.id ? dead : handled;
      });
      await parked.consume(group, { concurrency: 4 }, handler);
      await tried.atLeast(7);
      const order = ids().filter((id) => id !== other.id);
      expect(order).toEqual([inLine[0]?.id, ...inLine.map(({ id }) => id)]);
      expect(most).toBe(1);
      await gone(parked, inLine[4]?.id ?? '');
      expect(await parked.occupied(group, ['a', 'b'])).toEqual(new Set());
    });

    it('keeps all of several records or none, and no more than may wait', async () => {
      const five = Array.from({ length: 5 }, () => record());
      expect(await parked.park(five.slice(0, 3), 4)).toBe(true);
      expect(await parked.park(five.slice(3), 4)).toBe(false);
      expect(await parked.find(five[3]?.id ?? '')).toBeUndefined();
      expect(await parked.park(five.slice(3, 4), 4)).toBe(true);
      await parked.consume(
        group,
        { concurrency: 9 },
        noting(() => handled),
      );
      await tried.atLeast(4);
      await gone(parked, five[3]?.id ?? '');
      expect(await parked.park(five.slice(4), 4)).toBe(true);
    });

    it('lists the dead, by group, by topic and by both, page by page', async () => {
      const dying = Array.from({ length: 5 }, (_, index) => record({ topic: index < 2 ? 't' : 'u' }));
      const living = record();
      await bury(...dying);
      await parked.park([living], MANY);
      const all = dying.map(({ id }) => id).toSorted();
      const list = async (query: object) =>
        (await parked.list({ limit: 100, ...query })).records.map(({ id }) => id);
      expect(await list({ group })).toEqual(all);
      expect(await list({ group, topic: 't' })).toEqual(dying.slice(0, 2).map(({ id }) => id));
      expect(await list({ topic: 'u' })).toEqual(dying.slice(2).map(({ id }) => id));
      expect(await list({ group: 'other' })).toEqual([]);
      expect(await list({})).toEqual(all);

      const first = await parked.list({ group, limit: 3 });
      expect(first.records.map(({ state, failure }) => [state, failure?.code])).toEqual(
        Array.from({ length: 3 }, () => ['dead', 'x']),
      );
      const rest = await parked.list({ group, limit: 3, ...(first.next ? { cursor: first.next } : {}) });
      expect([...first.records, ...rest.records].map(({ id }) => id)).toEqual(all);
      expect(rest).not.toHaveProperty('next');
    });

    it('redrives and drops what is dead, once, and nothing else', async () => {
      const [kept, redriven, dropped] = [record(), record({ line: 'a' }), record()];
      await bury(redriven, dropped);
      const before = record({ line: 'a', dueAt: Date.now() + 50 });
      await parked.park([kept, before], MANY);
      expect(await parked.find(redriven.id)).toMatchObject({ state: 'dead' });
      for (const id of [kept.id, 'unknown', newMessageId()]) {
        expect(await parked.redrive(id)).toBe(false);
        expect(await parked.drop(id)).toBe(false);
      }
      expect(await Promise.all([parked.redrive(redriven.id), parked.redrive(redriven.id)])).toContain(true);
      expect(await parked.drop(dropped.id)).toBe(true);
      expect(await parked.drop(dropped.id)).toBe(false);
      expect(await parked.find(dropped.id)).toBeUndefined();
      expect((await parked.list({ group, limit: 10 })).records).toEqual([]);

      await parked.consume(
        group,
        { concurrency: 5 },
        noting(() => handled),
      );
      await tried.until(() => ids().filter((id) => id === redriven.id).length === 2);
      expect(ids().slice(2)).toEqual([kept.id, before.id, redriven.id]);
      expect(tried.entries.at(-1)).toMatchObject({ attempts: 0, givenUp: false, state: 'waiting' });
    });

    it('lets one process try a record at a time', async () => {
      if (subject.another === undefined) return;
      const second = await keep(subject.another());
      const records = Array.from({ length: 40 }, () => record());
      for (const each of [parked, second])
        await each.consume(
          group,
          { concurrency: 3 },
          noting(() => handled),
        );
      await parked.park(records, MANY);
      await tried.atLeast(40);
      await Promise.all(records.map(({ id }) => gone(parked, id)));
      expect(ids().toSorted()).toEqual(records.map(({ id }) => id).toSorted());
    });

    it('gives what a dead process had to another', async () => {
      if (subject.another === undefined || subject.die === undefined) return;
      const held = Promise.withResolvers<Fate>();
      await parked.consume(
        group,
        { concurrency: 1 },
        noting(() => held.promise),
      );
      const [first, behind] = [record({ line: 'a' }), record({ line: 'a' })];
      await parked.park([first, behind], MANY);
      await tried.atLeast(1);
      await subject.die();
      const second = await keep(subject.another());
      await second.consume(
        group,
        { concurrency: 1 },
        noting(() => handled),
      );
      await tried.atLeast(3);
      expect(ids()).toEqual([first.id, first.id, behind.id]);
      held.resolve(again(first, Date.now()));
      await gone(second, behind.id);
      expect(await second.find(first.id)).toBeUndefined();
    });

    it('keeps everything over a restart, where its store does', async () => {
      if (subject.reopen === undefined) return;
      const [waiting, buried] = [record({ line: 'a' }), record()];
      await bury(buried);
      await parked.park([waiting], MANY);
      await parked.close();
      const later = await keep(subject.reopen());
      expect((await later.list({ group, limit: 10 })).records).toMatchObject([{ id: buried.id }]);
      await later.consume(
        group,
        { concurrency: 1 },
        noting(() => handled),
      );
      await tried.until(() => ids().includes(waiting.id));
    });

    it('fails fast while its store is away, and goes on when it is back', async () => {
      const { store } = subject;
      if (store === undefined) return;
      await parked.consume(
        group,
        { concurrency: 1 },
        noting(() => handled),
      );
      await parked.park([record()], MANY);
      await tried.atLeast(1);
      await store.stop();
      const tookMs = await timeTaken(async () => {
        for (const call of [parked.park([record()], MANY), parked.find('x'), parked.list({ limit: 1 })])
          await expect(call).rejects.toBeInstanceOf(BrokerUnavailableError);
      });
      expect(tookMs).toBeLessThan(3_000);
      await store.start();
      const late = record();
      while (!(await parked.park([late], MANY).catch(() => false)))
        await new Promise((resolve) => setTimeout(resolve, 20));
      await tried.until(() => ids().includes(late.id));
    });

    it('may be closed twice, and refuses what comes after', async () => {
      await Promise.all([parked.close(), parked.close()]);
      for (const call of [
        parked.park([record()], MANY),
        parked.find('x'),
        parked.redrive('x'),
        parked.consume(
          group,
          { concurrency: 1 },
          noting(() => handled),
        ),
      ])
        await expect(call).rejects.toBeInstanceOf(BusClosedError);
    });
  });
}

/** Handled records vanish a moment after their handler resolved. */
async function gone(parked: ParkedRecords, id: string): Promise<void> {
  while ((await parked.find(id)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
}
