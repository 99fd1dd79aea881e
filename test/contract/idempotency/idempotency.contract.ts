import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError, BusClosedError, type Idempotency } from '../../../src/bus/index.js';
import { timeTaken } from '../../support/time-taken.js';
import { type Elapse, retryWhenSlow } from '../../support/retry-when-slow.js';

export interface IdempotencySubject {
  readonly idempotency: Idempotency;
  /** Opens another one on the same store, like another process. Absent if a store belongs to one process. */
  another?(): Promise<Idempotency>;
  /** Opens the store again after `idempotency` was closed. Absent if the store is not durable. */
  reopen?(): Promise<Idempotency>;
  readonly elapse: Elapse;
  /** Present if the store can be stopped. */
  readonly store?: { stop(): Promise<void>; start(): Promise<void> };
}

const TTL_MS = 60_000;

/** The contract of the `Idempotency` port, for every adapter. */
export function describeIdempotency(name: string, open: () => Promise<IdempotencySubject>): void {
  describe(`${name} keeps the contract of Idempotency`, () => {
    let subject: IdempotencySubject;
    let idempotency: Idempotency;
    let key: string;
    let opened: Idempotency[];

    const keep = async (opening: Promise<Idempotency>) => {
      const another = await opening;
      opened.push(another);
      return another;
    };

    beforeEach(async () => {
      subject = await open();
      idempotency = subject.idempotency;
      opened = [idempotency];
      key = randomUUID();
    });
    afterEach(async () => {
      await Promise.all(opened.map((each) => each.close()));
    });

    it('keeps the first plan of a key', async () => {
      expect(await idempotency.reserve(key, 'first', TTL_MS)).toBe('first');
      expect(await idempotency.reserve(key, 'second', TTL_MS)).toBe('first');
      expect(await idempotency.reserve(`${key}'`, 'other', TTL_MS)).toBe('other');
    });

    it('accepts any text as key and as plan', async () => {
      const odd = [`${key}{a}`, `${key}{b}`, `${key} ü🔔`, `${key}'; DROP TABLE plan; --`, `${key}*`];
      for (const each of odd)
        expect(await idempotency.reserve(each, `{"of":"${each}\\n"}`, TTL_MS)).toContain(each);
      for (const each of odd) expect(await idempotency.reserve(each, '', TTL_MS)).toBe(`{"of":"${each}\\n"}`);
    });

    it('stores one plan of several concurrent reservations, and returns it to all of them', async () => {
      const others = subject.another ? [await keep(subject.another()), await keep(subject.another())] : [];
      const all = [idempotency, ...others];
      const plans = await Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          all[index % all.length]!.reserve(key, `plan ${index}`, TTL_MS),
        ),
      );
      expect(new Set(plans).size).toBe(1);
      expect(await idempotency.reserve(key, 'late', TTL_MS)).toBe(plans[0]);
    });

    it('replaces a plan if it is the current one', async () => {
      await idempotency.reserve(key, 'planned', TTL_MS);
      expect(await idempotency.replace(key, 'planned', 'done', TTL_MS)).toBe('done');
      expect(await idempotency.replace(key, 'planned', 'undone', TTL_MS)).toBe('done');
      expect(await idempotency.reserve(key, 'new', TTL_MS)).toBe('done');
    });

    it('replaces a forgotten plan', async () => {
      expect(await idempotency.replace(key, 'planned', 'done', TTL_MS)).toBe('done');
      expect(await idempotency.reserve(key, 'new', TTL_MS)).toBe('done');
    });

    it('applies one of several concurrent replacements, and returns the current plan to all of them', async () => {
      await idempotency.reserve(key, 'planned', TTL_MS);
      const plans = await Promise.all(
        ['done', 'undone', 'done', 'undone'].map((next) => idempotency.replace(key, 'planned', next, TTL_MS)),
      );
      expect(new Set(plans).size).toBe(1);
      expect(await idempotency.reserve(key, 'new', TTL_MS)).toBe(plans[0]);
    });

    it('forgets a released plan', async () => {
      await idempotency.reserve(key, 'first', TTL_MS);
      await idempotency.release(key);
      await idempotency.release(key);
      expect(await idempotency.reserve(key, 'second', TTL_MS)).toBe('second');
    });

    it('keeps a plan for its time, from when it was stored, and then forgets it', async () => {
      await retryWhenSlow(400, subject.elapse, async (ttlMs, elapse) => {
        key = randomUUID();
        await idempotency.reserve(key, 'first', ttlMs);
        await elapse(ttlMs * 0.5);
        expect(await idempotency.reserve(key, 'second', ttlMs)).toBe('first');
        expect(await idempotency.replace(key, 'first', 'moved', ttlMs)).toBe('moved');
        await elapse(ttlMs * 0.75);
        expect(await idempotency.reserve(key, 'third', ttlMs)).toBe('moved');
        await elapse(ttlMs * 0.5);
        expect(await idempotency.reserve(key, 'fourth', ttlMs)).toBe('fourth');
      });
    });

    it('keeps plans over a restart, if its store is durable', async () => {
      await idempotency.reserve(key, 'first', TTL_MS);
      await idempotency.close();
      const later = subject.reopen && (await keep(subject.reopen()));
      expect(later && (await later.reserve(key, 'second', TTL_MS))).toBe(later && 'first');
    });

    it('fails fast while its store is unavailable, and works when it is back', async () => {
      if (subject.store === undefined) return;
      await idempotency.reserve(key, 'first', TTL_MS);
      await subject.store.stop();
      const tookMs = await timeTaken(async () => {
        for (const call of [idempotency.reserve(key, 'x', TTL_MS), idempotency.release(key)]) {
          await expect(call).rejects.toBeInstanceOf(BrokerUnavailableError);
        }
      });
      expect(tookMs).toBeLessThan(2_000);
      await subject.store.start();
      const back = await keep(subject.another!());
      expect(await back.reserve(key, 'second', TTL_MS)).toBe('first');
    });

    it('may be closed twice, and refuses later calls', async () => {
      const reserving = idempotency.reserve(key, 'first', TTL_MS);
      await Promise.all([idempotency.close(), idempotency.close()]);
      expect(await reserving).toBe('first');
      await expect(idempotency.reserve(key, 'x', TTL_MS)).rejects.toBeInstanceOf(BusClosedError);
      await expect(idempotency.replace(key, 'x', 'y', TTL_MS)).rejects.toBeInstanceOf(BusClosedError);
      await expect(idempotency.release(key)).rejects.toBeInstanceOf(BusClosedError);
    });
  });
}
