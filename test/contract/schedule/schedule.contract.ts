import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BrokerUnavailableError,
  BusClosedError,
  type Schedule,
  type ScheduledSummary,
} from '../../../src/bus/index.js';
import type { ScheduleLimits } from '../../../src/bus/lanes/delayed-lane.options.js';
import { SCHEDULE_PAGE_BYTES, summaryOf } from '../../../src/bus/schedule/schedule-summary.js';
import { newMessageId, type ScheduledMessage } from '../../../src/message/index.js';
import { timeTaken } from '../../support/time-taken.js';
import { describeScheduleLimits } from './schedule-limits.contract.js';
import { HandOvers } from './hand-overs.js';
import { type ScheduleProcessOptions, startScheduleProcess } from './schedule-process.js';

/** A schedule under test. Its store is empty. */
export interface ScheduleSubject {
  readonly schedule: Schedule;
  /** Opens another schedule on the same store, like another process. Absent if a store belongs to one process. */
  another?(conditions?: Conditions): Promise<Schedule>;
  /** Opens the store again after `schedule` was closed. Absent if the store is not durable. */
  reopen?(): Promise<Schedule>;
  /** How another process opens a schedule before it is killed, and how to open the schedule that takes over its messages. */
  readonly otherProcess?: { readonly options: ScheduleProcessOptions; takeOver(): Promise<Schedule> };
  /** Present if the store can be stopped and restarted with its data. */
  readonly store?: { stop(): Promise<void>; start(): Promise<void> };
}

/** The clock of the process, and the duration of a lease. */
export interface Conditions extends Partial<ScheduleLimits> {
  readonly now: () => number;
  readonly leaseMs?: number;
}

export interface ScheduleTraits {
  /** Whether the store has its own clock, so that a process with a fast clock does not hand over early. */
  readonly storeHasClock: boolean;
  /** Duration of the subject's leases, in ms. */
  readonly leaseMs: number;
  /** First pause after a rejection, in ms. Default: 20. */
  readonly retryInitialMs?: number;
  /**
   * Present if the order of due times holds only for messages that are at least so far apart, in ms, and were added before
   * they were due. Others may arrive in the order in which they were added.
   */
  readonly orderGrainMs?: number;
}

const accurate: Conditions = { now: Date.now };

/**
 * The contract of the `Schedule` port, for every adapter. Open it with short pauses between retries (20 ms at first) and
 * with leases of about half a second.
 */
export function describeSchedule(
  name: string,
  open: (conditions: Conditions) => Promise<ScheduleSubject>,
  traits: ScheduleTraits,
): void {
  describe(`${name} keeps the contract of Schedule`, () => {
    let subject: ScheduleSubject;
    let schedule: Schedule;
    let opened: Schedule[];

    const begin = async (conditions: Conditions) => {
      subject = await open(conditions);
      schedule = subject.schedule;
      opened.push(schedule);
    };
    const keep = async (opening: Promise<Schedule>) => {
      const another = await opening;
      opened.push(another);
      return another;
    };
    const consume = async (
      on: Schedule,
      handler: (message: ScheduledMessage) => Promise<void> | void = () => {},
      concurrency = 16,
    ) => {
      const handOvers = new HandOvers();
      await on.consume({ concurrency }, async (message) => {
        handOvers.start(message);
        await handler(message);
        handOvers.end(message);
      });
      return handOvers;
    };
    const addAll = (messages: readonly ScheduledMessage[], to: Schedule = schedule) =>
      Promise.all(messages.map((message) => to.add(message)));

    beforeEach(async () => {
      opened = [];
      await begin(accurate);
    });
    afterEach(async () => {
      await Promise.all(opened.map((each) => each.close()));
    });

    describe('time', () => {
      it('hands over no message early', async () => {
        const handOvers = await consume(schedule);
        const messages = Array.from({ length: 60 }, () => messageIn(Math.floor(Math.random() * 600)));
        await addAll(messages);
        await handOvers.completed(60);
        expect(handOvers.ids().toSorted()).toEqual(idsOf(messages).toSorted());
        for (const { at, message } of handOvers.all) expect(at).toBeGreaterThanOrEqual(message.dueAt);
      });

      it('hands over an overdue message immediately', async () => {
        const handOvers = await consume(schedule);
        const tookMs = await timeTaken(async () => {
          await schedule.add(messageIn(-60_000));
          await handOvers.completed(1);
        });
        expect(tookMs).toBeLessThan(5_000);
      });

      it('is not early if the clock of the process is slow', async () => {
        const slow = { now: () => Date.now() - 400 };
        await schedule.close();
        await begin(slow);
        const handOvers = await consume(schedule);
        const message = messageIn(-300);
        await schedule.add(message);
        await handOvers.completed(1);
        expect(handOvers.all[0]!.at - 400).toBeGreaterThanOrEqual(message.dueAt);
      });

      if (traits.storeHasClock) {
        it('is not early if the clock of the process is fast', async () => {
          await schedule.close();
          await begin({ now: () => Date.now() + 60_000 });
          const handOvers = await consume(schedule);
          const messages = Array.from({ length: 20 }, () => messageIn(100 + Math.random() * 300));
          await addAll(messages);
          await handOvers.completed(20);
          for (const { at, message } of handOvers.all) expect(at).toBeGreaterThanOrEqual(message.dueAt);
        });
      }

      it('may be later than the longest timer of Node', async () => {
        const warnings: Error[] = [];
        const onWarning = (warning: Error) => void warnings.push(warning);
        process.on('warning', onWarning);
        const handOvers = await consume(schedule);
        const distant = messageIn(100 * 24 * 3_600_000);
        await schedule.add(distant);
        await schedule.add(messageIn(30));
        await handOvers.completed(1);
        process.off('warning', onWarning);
        expect(warnings).toEqual([]);
        expect(handOvers.ids()).not.toContain(distant.id);
        expect((await schedule.find(distant.id))?.dueAt).toBe(distant.dueAt);
      });

      it('hands over in the order of due times', async () => {
        const { orderGrainMs } = traits;
        const addMixed = async (aheadMs: number, apartMs: number) => {
          const added = [4, 1, 3, 2, 0].map((index) => messageIn(aheadMs + index * apartMs));
          await addAll(added);
          return added;
        };
        const inOrder = (messages: readonly ScheduledMessage[]) =>
          [4, 1, 3, 2, 0].map((index) => messages[index]!.id);
        let messages = orderGrainMs === undefined ? await addMixed(-1_000, 10) : [];
        const handOvers = await consume(schedule, undefined, 1);
        const isPunctual = async (grainMs: number) => {
          const count = handOvers.all.length + 5;
          messages = await addMixed(500, grainMs);
          const wereInTime = Date.now() < messages[4]!.dueAt - grainMs;
          await handOvers.completed(count);
          return (
            wereInTime && handOvers.all.slice(-5).every(({ at, message }) => at < message.dueAt + grainMs)
          );
        };
        // A round counts only if every message was on time. If one is late, the next one is already due.
        if (orderGrainMs !== undefined) while (!(await isPunctual(orderGrainMs)));
        await handOvers.completed(5);
        expect(handOvers.ids().slice(-5)).toEqual(inOrder(messages));
      });
    });

    describe('messages', () => {
      it('arrive unchanged, with every field and byte', async () => {
        const handOvers = await consume(schedule);
        const full: ScheduledMessage = {
          ...messageIn(0, '~user:Zoë 🔔'),
          data: Buffer.from([0, 255, 10, 13, 0xc3, 0x28]),
          format: 'binary',
          name: 'bell',
          tags: { ключ: 'значение' },
          key: 'k',
          expiresAt: Date.now() + 60_000,
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        };
        const empty: ScheduledMessage = { ...messageIn(1), data: Buffer.alloc(0), format: 'binary' };
        await addAll([full, empty]);
        await handOvers.completed(2);
        expect(handOvers.message(full.id)).toEqual(full);
        expect(handOvers.message(empty.id)).toEqual(empty);
      });

      it('are handed over once, however often they are added', async () => {
        const first = messageIn(80);
        const cancelled = messageIn(80);
        const last = messageIn(200);
        await addAll([first, first, cancelled]);
        await schedule.add({ ...first, data: Buffer.from('"another"'), dueAt: first.dueAt + 60_000 });
        expect(await schedule.cancel(cancelled.id)).toBe(true);
        await schedule.add(cancelled);
        const handOvers = await consume(schedule);
        await handOvers.completed(1);
        await schedule.add(first);
        await schedule.add(last);
        await handOvers.completed(2);
        expect(handOvers.ids()).toEqual([first.id, last.id]);
        expect(handOvers.message(first.id).data).toEqual(first.data);
      });

      it('are retried after growing pauses when the handler rejects, and are not pending meanwhile', async () => {
        const message = messageIn(0);
        let attempts = 0;
        const handOvers = await consume(schedule, async () => {
          attempts += 1;
          if (attempts < 6) throw new Error(`attempt ${attempts}`);
        });
        await schedule.add(message);
        await handOvers.started(1);
        expect(await schedule.cancel(message.id)).toBe(false);
        expect(await schedule.find(message.id)).toBeUndefined();
        await handOvers.completed(1);
        expect(handOvers.all.map((each) => each.message.id)).toEqual(Array(6).fill(message.id));
        const times = handOvers.all.map(({ at }) => at);
        // Without growth, this would be one initial pause. It is at least eight, plus delays of the machine.
        expect(times[5]! - times[4]!).toBeGreaterThan(5 * (traits.retryInitialMs ?? 20));
      });

      it('do not wait for a slow or a failing one', async () => {
        const slow = messageIn(0);
        const failing = messageIn(0);
        const done = Promise.withResolvers<void>();
        const handOvers = await consume(schedule, async ({ id }) => {
          if (id === slow.id) await done.promise;
          if (id === failing.id) throw new Error('never');
        });
        await addAll([slow, failing, ...Array.from({ length: 50 }, () => messageIn(5))]);
        await handOvers.completed(50);
        expect(handOvers.completedIds()).not.toContain(slow.id);
        done.resolve();
        await handOvers.completed(51);
        expect(handOvers.completedIds()).not.toContain(failing.id);
      });

      it('are handed over concurrently, up to the limit', async () => {
        let running = 0;
        let most = 0;
        await addAll(Array.from({ length: 40 }, () => messageIn(0)));
        const handOvers = await consume(
          schedule,
          async () => {
            most = Math.max(most, ++running);
            await new Promise((resolve) => setImmediate(resolve));
            running -= 1;
          },
          4,
        );
        await handOvers.completed(40);
        expect(most).toBe(4);
      });
    });

    describe('cancel and reschedule', () => {
      it('cancel a pending message once', async () => {
        const [cancelled, other] = [messageIn(60), messageIn(120)];
        await addAll([cancelled, other]);
        expect(await schedule.cancel(cancelled.id)).toBe(true);
        expect(await schedule.cancel(cancelled.id)).toBe(false);
        expect(await schedule.cancel(newMessageId())).toBe(false);
        expect(await schedule.find(cancelled.id)).toBeUndefined();
        const handOvers = await consume(schedule);
        await handOvers.completed(1);
        expect(handOvers.ids()).toEqual([other.id]);
      });

      it('move a message to an earlier time', async () => {
        const handOvers = await consume(schedule);
        const message = messageIn(3_600_000);
        await schedule.add(message);
        const dueAt = Date.now() + 50;
        expect(await schedule.reschedule(message.id, dueAt)).toBe(true);
        await handOvers.completed(1);
        expect(handOvers.all[0]!.at).toBeGreaterThanOrEqual(dueAt);
        expect(handOvers.message(message.id)).toEqual({ ...message, dueAt });
      });

      it('move a message to a later time', async () => {
        const handOvers = await consume(schedule);
        const message = messageIn(150);
        await schedule.add(message);
        const dueAt = message.dueAt + 150;
        expect(await schedule.reschedule(message.id, dueAt)).toBe(true);
        expect((await schedule.find(message.id))?.dueAt).toBe(dueAt);
        await handOvers.completed(1);
        expect(handOvers.all[0]!.at).toBeGreaterThanOrEqual(dueAt);
      });

      it('have no effect once the handler has started', async () => {
        const done = Promise.withResolvers<void>();
        const message = messageIn(0);
        const handOvers = await consume(schedule, () => done.promise);
        await schedule.add(message);
        await handOvers.started(1);
        expect(await schedule.cancel(message.id)).toBe(false);
        expect(await schedule.reschedule(message.id, Date.now() + 60_000)).toBe(false);
        expect(await schedule.find(message.id)).toBeUndefined();
        expect((await schedule.list({ limit: 10 })).messages).toEqual([]);
        done.resolve();
        await handOvers.completed(1);
        expect(await schedule.cancel(message.id)).toBe(false);
        expect(await schedule.reschedule(message.id, Date.now() + 60_000)).toBe(false);
      });

      it('never succeed for a message that is handed over', async () => {
        const dueAt = Date.now() + 100;
        const messages = Array.from({ length: 200 }, () => ({ ...messageIn(0), dueAt }));
        await addAll(messages);
        const handOvers = await consume(schedule, undefined, 8);
        await handOvers.started(1);
        const succeeded = await Promise.all(
          messages.map(({ id }, index) =>
            index % 2 === 0 ? schedule.cancel(id) : schedule.reschedule(id, Date.now() + 3_600_000),
          ),
        );
        const left = messages.filter((_, index) => !succeeded[index]);
        await handOvers.completed(left.length);
        // A later message proves that nothing else is in flight.
        const last = messageIn(0);
        await schedule.add(last);
        await handOvers.completed(left.length + 1);
        expect(handOvers.ids().toSorted()).toEqual([...idsOf(left), last.id].toSorted());
      });
    });

    describe('the list', () => {
      it('returns pending messages by due time, then id, in pages', async () => {
        const dueAt = Date.now() + 3_600_000;
        const messages = Array.from({ length: 25 }, (_, index) => ({
          ...messageIn(0, index % 5 === 0 ? 'a' : 'ab'),
          dueAt: dueAt + (index % 3),
        }));
        await addAll(messages);
        const found = messages.toSorted((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1));
        const sorted = found.map(summaryOf);
        expect(await allPages(schedule, 4)).toEqual(sorted);
        expect(await allPages(schedule, 25)).toEqual(sorted);
        expect(await allPages(schedule, 2, 'a')).toEqual(sorted.filter(({ channel }) => channel === 'a'));
        expect(await schedule.list({ limit: 5, channel: 'nobody' })).toEqual({ messages: [] });
        expect(await schedule.find(sorted[7]!.id)).toEqual(found[7]);
        expect(await schedule.find(newMessageId())).toBeUndefined();
      });

      it('reflects cancelled and rescheduled messages', async () => {
        const [a, b, c] = [messageIn(3_600_000, 'x'), messageIn(3_600_100, 'x'), messageIn(3_600_200, 'x')];
        await addAll([a, b, c]);
        await schedule.cancel(b.id);
        await schedule.reschedule(a.id, c.dueAt + 100);
        const expected = [c, { ...a, dueAt: c.dueAt + 100 }].map(summaryOf);
        expect((await schedule.list({ limit: 10 })).messages).toEqual(expected);
        expect((await schedule.list({ limit: 10, channel: 'x' })).messages).toEqual(expected);
      });

      it('continues from a cursor whose message is gone', async () => {
        const messages = [1, 2, 3].map((ms) => messageIn(3_600_000 + ms));
        await addAll(messages);
        const page = await schedule.list({ limit: 1 });
        await schedule.cancel(page.messages[0]!.id);
        expect((await schedule.list({ limit: 5, cursor: page.next! })).messages).toEqual(
          messages.slice(1).map(summaryOf),
        );
      });

      it('shows when a message expires, and no payload', async () => {
        const message = { ...messageIn(3_600_000), expiresAt: Date.now() + 7_200_000 };
        await schedule.add(message);
        const { id, channel, createdAt, dueAt, expiresAt } = message;
        expect((await schedule.list({ limit: 1 })).messages).toEqual([
          { id, channel, createdAt, dueAt, expiresAt },
        ]);
      });

      it('ends a page early whose messages are large', async () => {
        const channel = 'c'.repeat(100_000);
        const messages = Array.from({ length: 15 }, () => messageIn(3_600_000, channel));
        await addAll(messages);
        const page = await schedule.list({ limit: 1_000 });
        expect(page.messages.length).toBeLessThan(messages.length);
        expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(2 * SCHEDULE_PAGE_BYTES);
        expect((await allPages(schedule, 1_000)).map(({ id }) => id).toSorted()).toEqual(
          idsOf(messages).toSorted(),
        );
      });
    });

    describeScheduleLimits(async (limits) => {
      await schedule.close();
      await begin({ ...accurate, ...limits });
      return {
        add: (message, owner) => schedule.add(message, owner),
        cancel: (id) => schedule.cancel(id),
        usage: () => schedule.usage(),
      };
    });

    it('handles ten thousand pending messages', async () => {
      const dueAt = Date.now() + 3_600_000;
      const messages = Array.from({ length: 10_000 }, (_, index) => ({
        ...messageIn(0, `c${index % 100}`),
        dueAt: dueAt + index,
      }));
      for (let from = 0; from < messages.length; from += 500) await addAll(messages.slice(from, from + 500));
      expect(await allPages(schedule, 1_000)).toHaveLength(10_000);
      expect(await allPages(schedule, 10, 'c7')).toHaveLength(100);
      const handOvers = await consume(schedule, undefined, 64);
      for (let from = 0; from < 2_000; from += 500) {
        await Promise.all(
          messages.slice(from, from + 500).map(({ id }) => schedule.reschedule(id, 1_000 + from)),
        );
      }
      await handOvers.completed(2_000);
      expect(new Set(handOvers.ids()).size).toBe(2_000);
    });

    describe('close', () => {
      it('of a consumer waits for its handlers and consumes nothing more', async () => {
        const done = Promise.withResolvers<void>();
        const started = Promise.withResolvers<void>();
        let handed = 0;
        const consumer = await schedule.consume({ concurrency: 1 }, async () => {
          handed += 1;
          started.resolve();
          await done.promise;
        });
        await addAll([messageIn(0), messageIn(1)]);
        await started.promise;
        let closed = false;
        const closing = Promise.all([consumer.close(), consumer.close()]).then(() => (closed = true));
        await schedule.list({ limit: 1 });
        expect(closed).toBe(false);
        done.resolve();
        await closing;
        expect(handed).toBe(1);
        const handOvers = await consume(schedule);
        await handOvers.completed(1);
      });

      it('may be called twice, finishes running handlers, and refuses later calls', async () => {
        const handed: string[] = [];
        const started = Promise.withResolvers<void>();
        await schedule.consume({ concurrency: 4 }, async ({ id }) => {
          started.resolve();
          await new Promise((resolve) => setImmediate(resolve));
          handed.push(id);
        });
        const message = messageIn(0);
        await schedule.add(message);
        await started.promise;
        const adding = schedule.add(messageIn(60_000));
        await Promise.all([schedule.close(), schedule.close()]);
        await adding;
        expect(handed).toEqual([message.id]);
        await expect(schedule.add(messageIn(0))).rejects.toBeInstanceOf(BusClosedError);
        await expect(schedule.find(message.id)).rejects.toBeInstanceOf(BusClosedError);
        await expect(schedule.list({ limit: 1 })).rejects.toBeInstanceOf(BusClosedError);
        await expect(schedule.cancel(message.id)).rejects.toBeInstanceOf(BusClosedError);
        await expect(schedule.reschedule(message.id, 0)).rejects.toBeInstanceOf(BusClosedError);
        await expect(schedule.consume({ concurrency: 1 }, async () => {})).rejects.toBeInstanceOf(
          BusClosedError,
        );
      });
    });

    it('keeps a thousand pending messages over a restart, if it is durable', async () => {
      expect(subject.reopen !== undefined).toBe(schedule.capabilities.durable);
      if (subject.reopen === undefined) return;
      const messages = Array.from({ length: 1_000 }, (_, index) => messageIn(300 + (index % 100)));
      await addAll(messages);
      await schedule.close();
      const handOvers = await consume(await keep(subject.reopen()));
      await handOvers.completed(1_000);
      expect(handOvers.ids().toSorted()).toEqual(idsOf(messages).toSorted());
    });

    it('hands over the messages of a killed process elsewhere, if it is durable', async () => {
      expect(subject.otherProcess !== undefined).toBe(schedule.capabilities.durable);
      if (subject.otherProcess === undefined) return;
      // The victim is running by then, and claims the message when it is due.
      const held = messageIn(3_000);
      const others = Array.from({ length: 50 }, () => messageIn(4_000));
      const victim = await startScheduleProcess(subject.otherProcess.options, [held, ...others]);
      await victim.holds;
      await victim.kill();
      const killedAt = Date.now();
      const successor = await keep(subject.otherProcess.takeOver());
      const handOvers = await consume(successor);
      await handOvers.completed(51);
      expect(handOvers.ids().toSorted()).toEqual(idsOf([held, ...others]).toSorted());
      const again = handOvers.all.find(({ message }) => message.id === held.id)!;
      expect(again.at - killedAt).toBeLessThan(traits.leaseMs + 20_000);
      // Other processes cannot know that it died. A store of one process has no leases.
      const heldForMs = schedule.capabilities.shared ? traits.leaseMs : 0;
      expect(again.at).toBeGreaterThanOrEqual(held.dueAt + heldForMs);
    });

    it('hands over each message in one of several processes, if it is shared', async () => {
      expect(subject.another !== undefined).toBe(schedule.capabilities.shared);
      if (subject.another === undefined) return;
      // Two thirds of this are longer than a busy machine suspends a process. This test is not about expired leases.
      const leaseMs = 16 * traits.leaseMs;
      const conditions = { ...accurate, leaseMs };
      await schedule.close();
      await begin(conditions);
      const competitors = [schedule];
      for (let i = 0; i < 2; i++) competitors.push(await keep(subject.another(conditions)));
      const handOvers = new HandOvers();
      for (const competitor of competitors) {
        await competitor.consume({ concurrency: 8 }, async (message) => {
          handOvers.start(message);
          // Some take longer than a lease, so that the lease has to be extended.
          if (message.channel === 'long') await untilAfter(Date.now() + leaseMs * 1.5);
          handOvers.end(message);
        });
      }
      const messages = Array.from({ length: 300 }, (_, index) =>
        messageIn(Math.random() * 500, index % 60 === 0 ? 'long' : 'short'),
      );
      await Promise.all(messages.map((message, index) => competitors[index % 3]!.add(message)));
      await handOvers.completed(300);
      const onlyOnce = messageIn(0);
      await competitors[2]!.add(onlyOnce);
      await handOvers.completed(301);
      expect(handOvers.ids().toSorted()).toEqual(idsOf([...messages, onlyOnce]).toSorted());
      for (const { at, message } of handOvers.all) expect(at).toBeGreaterThanOrEqual(message.dueAt);
    });

    it('fails fast while its store is unavailable, and continues when it is back', async () => {
      if (subject.store === undefined) return;
      const done = Promise.withResolvers<void>();
      const meanwhile = messageIn(0);
      const later = messageIn(1_000);
      const handOvers = await consume(schedule, ({ id }) => (id === meanwhile.id ? done.promise : undefined));
      await addAll([meanwhile, later]);
      await handOvers.started(1);
      await subject.store.stop();
      const tookMs = await timeTaken(async () => {
        const calls = [schedule.add(messageIn(0)), schedule.cancel(later.id), schedule.find(later.id)];
        for (const outcome of await Promise.allSettled(calls)) {
          expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(BrokerUnavailableError) });
        }
      });
      expect(tookMs).toBeLessThan(2_000);
      // At first, the store cannot be told that the handler has finished.
      done.resolve();
      await untilAfter(later.dueAt);
      await subject.store.start();
      await handOvers.completed(2);
      // At least once: the lease of the running message may have expired.
      expect(new Set(handOvers.ids())).toEqual(new Set([meanwhile.id, later.id]));
    });
  });
}

function messageIn(delayMs: number, channel = `room-${randomUUID()}`): ScheduledMessage {
  const createdAt = Date.now();
  const id = newMessageId();
  const data = Buffer.from(JSON.stringify({ id }));
  return { id, channel, data, format: 'json', createdAt, dueAt: createdAt + Math.floor(delayMs) };
}

function idsOf(messages: readonly ScheduledMessage[]): string[] {
  return messages.map(({ id }) => id);
}

async function allPages(schedule: Schedule, limit: number, channel?: string): Promise<ScheduledSummary[]> {
  const messages: ScheduledSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await schedule.list({
      limit,
      ...(channel === undefined ? {} : { channel }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    expect(page.messages.length).toBeLessThanOrEqual(limit);
    messages.push(...page.messages);
    cursor = page.next;
  } while (cursor !== undefined);
  return messages;
}

/** Resolves after this time. These tests are about time, so they wait for it. */
async function untilAfter(time: number): Promise<void> {
  await once(AbortSignal.timeout(Math.max(1, Math.ceil(time - Date.now()) + 1)), 'abort');
}
