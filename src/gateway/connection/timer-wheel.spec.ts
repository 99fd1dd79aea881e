import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { TimerWheel, WheelEntry } from './timer-wheel.js';

class Alarm extends WheelEntry {
  readonly rangAt: number[] = [];

  constructor(private readonly onDue: () => void = () => {}) {
    super();
  }

  override due(): void {
    this.rangAt.push(now);
    this.onDue();
  }
}

let now: number;
let wheel: TimerWheel;

function advanceTo(time: number): void {
  now = time;
  wheel.advance();
}

beforeEach(() => {
  now = 500;
  wheel = new TimerWheel({ tickMs: 10, slots: 8, now: () => now });
});

afterEach(() => wheel.close());

describe('TimerWheel', () => {
  it('calls the other entries when one throws', () => {
    const alarms = [
      new Alarm(() => {
        throw new Error('an entry');
      }),
      new Alarm(),
    ];
    for (const alarm of alarms) wheel.schedule(alarm, 25);
    advanceTo(600);
    expect(alarms.map(({ rangAt }) => rangAt)).toEqual([[600], [600]]);
  });

  it('calls an entry never early and at most one tick late', () => {
    const alarm = new Alarm();
    wheel.schedule(alarm, 25);
    advanceTo(524);
    expect(alarm.rangAt).toEqual([]);
    advanceTo(530);
    advanceTo(600);
    expect(alarm.rangAt).toEqual([530]);
  });

  it('keeps entries that are many turns away', () => {
    const alarm = new Alarm();
    wheel.schedule(alarm, 1_000);
    for (let time = 510; time < 1_500; time += 10) advanceTo(time);
    expect(alarm.rangAt).toEqual([]);
    advanceTo(1_500);
    expect(alarm.rangAt).toEqual([1_500]);
  });

  it('calls everything that became due during a stall of many turns', () => {
    const alarms = Array.from({ length: 40 }, () => new Alarm());
    for (const [i, alarm] of alarms.entries()) wheel.schedule(alarm, i * 10);
    advanceTo(100_000);
    expect(alarms.every(({ rangAt }) => rangAt.length === 1)).toBe(true);
  });

  it('drops a cancelled entry, also if it is cancelled twice', () => {
    const alarm = new Alarm();
    wheel.schedule(alarm, 20);
    wheel.cancel(alarm);
    wheel.cancel(alarm);
    advanceTo(600);
    expect(alarm.rangAt).toEqual([]);
  });

  it('moves an entry that is scheduled again', () => {
    const alarm = new Alarm();
    wheel.schedule(alarm, 20);
    wheel.schedule(alarm, 60);
    advanceTo(550);
    advanceTo(560);
    expect(alarm.rangAt).toEqual([560]);
  });

  it('lets an entry schedule itself and cancel another that is due at the same time', () => {
    const other = new Alarm();
    const alarm: Alarm = new Alarm(() => {
      wheel.cancel(other);
      if (alarm.rangAt.length < 3) wheel.schedule(alarm, 0);
    });
    wheel.schedule(alarm, 10);
    wheel.schedule(other, 10);
    for (let time = 510; time <= 600; time += 10) advanceTo(time);
    expect(alarm.rangAt).toEqual([510, 520, 530]);
    expect(other.rangAt).toEqual([]);
  });

  it('drops all entries when it is closed', () => {
    const alarm = new Alarm();
    wheel.schedule(alarm, 20);
    wheel.close();
    advanceTo(600);
    expect(alarm.rangAt).toEqual([]);
  });

  it('turns by itself after it is started', async () => {
    const turning = new TimerWheel({ tickMs: 5 });
    turning.start();
    const startedAt = performance.now();
    await new Promise<void>((resolve) => turning.schedule(new Alarm(resolve), 12));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(12);
    turning.close();
  });

  it('behaves like one timer per entry, whatever is scheduled, moved and cancelled', () => {
    const step = fc.record({
      alarm: fc.nat({ max: 4 }),
      delay: fc.option(fc.nat({ max: 300 })),
      elapse: fc.nat({ max: 200 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        now = 0;
        const subject = new TimerWheel({ tickMs: 10, slots: 8, now: () => now });
        const alarms = Array.from({ length: 5 }, () => new Alarm());
        const dueAt = new Map<Alarm, number>();
        for (const { alarm: index, delay, elapse } of steps) {
          const alarm = alarms[index]!;
          if (delay === null) {
            subject.cancel(alarm);
            dueAt.delete(alarm);
          } else {
            subject.schedule(alarm, delay);
            dueAt.set(alarm, now + delay);
          }
          now += elapse;
          subject.advance();
          for (const each of alarms) {
            const due = dueAt.get(each) ?? Infinity;
            const isDue = each.rangAt.pop() !== undefined;
            // Never early, and late by less than a tick of 10 ms.
            expect(isDue ? due <= now : due > now - 10).toBe(true);
            if (isDue) dueAt.delete(each);
          }
        }
      }),
    );
  });
});
