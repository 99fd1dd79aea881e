import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { RateLimit } from './rate-limit.js';

/** How many of the events at these times are let through. */
function admitted(limit: RateLimit, times: readonly number[]): number {
  let state = 0;
  let count = 0;
  for (const now of times) {
    const next = limit.next(state, now);
    if (next === undefined) continue;
    state = next;
    count++;
  }
  return count;
}

describe('RateLimit', () => {
  const limit = new RateLimit({ perSecond: 10, burst: 5 });

  it('admits a burst and no more', () => {
    expect(admitted(limit, Array(20).fill(1_000))).toBe(5);
  });

  it('always admits an even pace', () => {
    const times = Array.from({ length: 500 }, (_, i) => 1_000 + i * 100);
    expect(admitted(limit, times)).toBe(500);
  });

  it('allows another burst after a pause', () => {
    expect(admitted(limit, [...Array(9).fill(1_000), ...Array(9).fill(1_500)])).toBe(10);
  });

  it('admits one event at a time with a burst of 1', () => {
    expect(admitted(new RateLimit({ perSecond: 10, burst: 1 }), [1_000, 1_001, 1_100])).toBe(2);
  });

  it.each([
    { perSecond: 0.001, burst: 1 },
    { perSecond: 3, burst: 4 },
  ])('lets the whole burst of %j through, whatever fraction of a millisecond it is', (rate) => {
    fc.assert(
      fc.property(
        fc.nat().map((tick) => tick / 7_919),
        (now) => {
          expect(admitted(new RateLimit(rate), Array(2 * rate.burst).fill(now))).toBe(rate.burst);
        },
      ),
    );
  });

  it('never admits more than burst and pace together', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3_000 }), { maxLength: 200 }), (offsets) => {
        const times = offsets.map((offset) => 1_000 + offset).toSorted((a, b) => a - b);
        const spanMs = (times.at(-1) ?? 0) - (times[0] ?? 0);
        expect(admitted(limit, times)).toBeLessThanOrEqual(5 + spanMs / 100);
      }),
    );
  });
});
