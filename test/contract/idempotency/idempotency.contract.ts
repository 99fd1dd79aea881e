import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerUnavailableError, BusClosedError, type Idempotency } from '../../../src/bus/index.js';
import { timeTaken } from '../../support/time-taken.js';
import { type Elapse, inGoodTime } from '../consumers/in-good-time.js';

export interface IdempotencySubject {
  readonly idempotency: Idempotency;
  /** A further one on the same store, as another process has it. Absent where a store belongs to one process. */
  another?(): Promise<Idempotency>;
  /** Opens the store again after `idempotency` was closed. Absent where it forgets. */
  reopen?(): Promise<Idempotency>;
  /** Lets `ms` pass for the store: by its injected clock where it has one, else really. */
  readonly elapse: Elapse;
  /** Present where the store can be taken away. */
  readonly store?: { stop(): Promise<void>; start(): Promise<void> };
}

const TTL_MS = 60_000;

/** The promises of the `Idempotency` port, for any adapter. */
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

    it('keeps keys and plans apart whatever they are made of', async () => {
      const odd = [`${key}{a}`, `${key}{b}`, `${key} ü🔔`, `${key}'; DROP TABLE plan; --`, `${key}*`];
      for (const each of odd)
        expect(await idempotency.reserve(each, `{"of":"${each}\\n"}`, TTL_MS)).toContain(each);
      for (const each of odd) expect(await idempotency.reserve(each, '', TTL_MS)).toBe(`{"of":"${each}\\n"}`);
    });

    it('stores one plan of several reservations at once, and all get the same', async () => {
      const others = subject.another ? [await keep(subject.another()), await keep(subject.another())] : [];
      const everyone = [idempotency, ...others];
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          everyone[index % everyone.length]!.reserve(key, `plan ${index}`, TTL_MS),
        ),
      );
      expect(new Set(answers).size).toBe(1);
      expect(await idempotency.reserve(key, 'late', TTL_MS)).toBe(answers[0]);
    });

    it('moves a plan on, if it is still in force', async () => {
      await idempotency.reserve(key, 'planned', TTL_MS);
      expect(await idempotency.replace(key, 'planned', 'done', TTL_MS)).toBe('done');
      expect(await idempotency.replace(key, 'planned', 'undone', TTL_MS)).toBe('done');
      expect(await idempotency.reserve(key, 'new', TTL_MS)).toBe('done');
    });

    it('moves a forgotten plan on', async () => {
      expect(await idempotency.replace(key, 'planned', 'done', TTL_MS)).toBe('done');
      expect(await idempotency.reserve(key, 'new', TTL_MS)).toBe('done');
    });

    it('lets one of several replacements at once take place, and all get what is in force', async () => {
      await idempotency.reserve(key, 'planned', TTL_MS);
      const answers = await Promise.all(
        ['done', 'undone', 'done', 'undone'].map((next) => idempotency.replace(key, 'planned', next, TTL_MS)),
      );
      expect(new Set(answers).size).toBe(1);
      expect(await idempotency.reserve(key, 'new', TTL_MS)).toBe(answers[0]);
    });

    it('forgets what is released', async () => {
      await idempotency.reserve(key, 'first', TTL_MS);
      await idempotency.release(key);
      await idempotency.release(key);
      expect(await idempotency.reserve(key, 'second', TTL_MS)).toBe('second');
    });

    it('keeps a plan for its time, counted from when it was stored, and then forgets it', async () => {
      await inGoodTime(400, subject.elapse, async (ttlMs, elapse) => {
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

    it('keeps plans over a restart, where its store does', async () => {
      await idempotency.reserve(key, 'first', TTL_MS);
      await idempotency.close();
      const later = subject.reopen && (await keep(subject.reopen()));
      expect(later && (await later.reserve(key, 'second', TTL_MS))).toBe(later && 'first');
    });

    it('fails fast while its store is away, and works when it is back', async () => {
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

    it('may be closed twice, and refuses what comes after', async () => {
      const reserving = idempotency.reserve(key, 'first', TTL_MS);
      await Promise.all([idempotency.close(), idempotency.close()]);
      expect(await reserving).toBe('first');
      await expect(idempotency.reserve(key, 'x', TTL_MS)).rejects.toBeInstanceOf(BusClosedError);
      await expect(idempotency.replace(key, 'x', 'y', TTL_MS)).rejects.toBeInstanceOf(BusClosedError);
      await expect(idempotency.release(key)).rejects.toBeInstanceOf(BusClosedError);
    });
  });
}
