import { roomy } from '../../../../test/contract/schedule/schedule-limits.js';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { BrokerStatus } from '../../../metrics/index.js';
import type { ScheduledMessage } from '../../../message/index.js';
import { SqliteSchedule } from './sqlite.schedule.js';

type Step =
  | { readonly do: 'add'; readonly id: string; readonly inMs: number }
  | { readonly do: 'cancel'; readonly id: string }
  | { readonly do: 'reschedule'; readonly id: string; readonly inMs: number }
  | { readonly do: 'advance'; readonly ms: number };

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const inMs = fc.integer({ min: -50, max: 1_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant('add' as const), id, inMs }), weight: 3 },
  { arbitrary: fc.record({ do: fc.constant('cancel' as const), id }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant('reschedule' as const), id, inMs }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat({ max: 600 }) }), weight: 2 },
);

/** A simple model of a schedule, whose clock moves only when a step moves it. */
class Model {
  now = 1_000_000;
  readonly pending = new Map<string, number>();
  readonly finished = new Set<string>();
  readonly delivered: string[] = [];

  add(each: string, dueAt: number): void {
    if (!this.pending.has(each) && !this.finished.has(each)) this.pending.set(each, dueAt);
  }

  cancel(each: string): boolean {
    if (!this.pending.delete(each)) return false;
    this.finished.add(each);
    return true;
  }

  reschedule(each: string, dueAt: number): boolean {
    if (!this.pending.has(each)) return false;
    this.pending.set(each, dueAt);
    return true;
  }

  deliver(): void {
    for (const [each, dueAt] of this.sorted()) {
      if (dueAt > this.now) break;
      this.delivered.push(each);
      this.pending.delete(each);
      this.finished.add(each);
    }
  }

  sorted(): [string, number][] {
    return [...this.pending].toSorted(([a, dueA], [b, dueB]) => dueA - dueB || (a < b ? -1 : 1));
  }
}

describe('SqliteSchedule', () => {
  it('behaves like the model, in any sequence of calls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (program) => {
        const model = new Model();
        const schedule = await open(() => model.now);
        const delivered: string[] = [];
        const inbox = new Inbox();
        await schedule.consume({ concurrency: 1 }, async (message) => {
          expect(message.dueAt).toBeLessThanOrEqual(model.now);
          delivered.push(message.id);
          inbox.arrived();
        });
        for (const each of program) {
          const [result, expected] = await take(each, schedule, model);
          expect(result).toBe(expected);
          // After each step, so that the order does not depend on the timing of the loop.
          model.deliver();
          await inbox.until(() => delivered.length >= model.delivered.length);
          const { messages } = await schedule.list({ limit: 100 });
          expect(messages.map((message) => [message.id, message.dueAt])).toEqual(model.sorted());
        }
        await schedule.close();
        expect(delivered).toEqual(model.delivered);
      }),
      { numRuns: 60 },
    );
  });
});

/** Applies a step to the schedule and to the model, and returns both results. */
async function take(each: Step, schedule: SqliteSchedule, model: Model): Promise<[unknown, unknown]> {
  switch (each.do) {
    case 'add': {
      const dueAt = model.now + each.inMs;
      return [await schedule.add(messageOf(each.id, dueAt)), model.add(each.id, dueAt)];
    }
    case 'cancel':
      return [await schedule.cancel(each.id), model.cancel(each.id)];
    case 'reschedule': {
      const dueAt = model.now + each.inMs;
      return [await schedule.reschedule(each.id, dueAt), model.reschedule(each.id, dueAt)];
    }
    case 'advance':
      model.now += each.ms;
      return [undefined, undefined];
    default:
      return each satisfies never;
  }
}

class Inbox {
  #waiting: (() => void) | undefined;

  arrived(): void {
    this.#waiting?.();
  }

  async until(isMet: () => boolean): Promise<void> {
    while (!isMet()) await new Promise<void>((resolve) => (this.#waiting = resolve));
  }
}

function messageOf(each: string, dueAt: number): ScheduledMessage {
  return { id: each, channel: 'c', data: Buffer.from('1'), format: 'json', createdAt: 0, dueAt };
}

function open(now: () => number): Promise<SqliteSchedule> {
  return SqliteSchedule.open(
    {
      path: ':memory:',
      synchronous: 'normal',
      ...roomy,
      rememberMs: 1e9,
      retryInitialMs: 1,
      retryMaxMs: 1,
      closeTimeoutMs: 1_000,
      // The clock of this test jumps, and the loop has to notice it soon.
      pollIntervalMs: 1,
      now,
    },
    new BrokerStatus('sqlite (delayed lane)'),
  );
}
