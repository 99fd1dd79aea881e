import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { KeyedRateLimit } from './keyed-rate-limit.js';

describe('KeyedRateLimit', () => {
  it('admits a burst, then the sustained rate', () => {
    const limit = new KeyedRateLimit({ perSecond: 10, burst: 3 });
    expect([0, 0, 0, 0].map((now) => limit.take('a', now))).toEqual([0, 0, 0, 100]);
    expect(limit.take('a', 99)).toBe(1);
    expect(limit.take('a', 100)).toBe(0);
    expect(limit.take('a', 100)).toBe(100);
    expect(limit.take('b', 100)).toBe(0);
  });

  it('admits the whole burst at any fraction of a millisecond', () => {
    fc.assert(
      fc.property(
        fc.nat().map((tick) => tick / 7_919),
        (now) => {
          const limit = new KeyedRateLimit({ perSecond: 3, burst: 4 });
          const waits = Array.from({ length: 5 }, () => limit.take('a', now));
          expect(waits).toEqual([0, 0, 0, 0, expect.closeTo(1000 / 3, 2)]);
        },
      ),
    );
  });

  it('has no limit at 0', () => {
    const limit = new KeyedRateLimit({ perSecond: 0, burst: 1 });
    expect([0, 0, 0].map((now) => limit.take('a', now))).toEqual([0, 0, 0]);
  });

  it('never admits more than burst and rate allow', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 200 }), (gaps) => {
        const limit = new KeyedRateLimit({ perSecond: 50, burst: 5 });
        let now = 0;
        let taken = 0;
        for (const gap of gaps) {
          now += gap;
          if (limit.take('a', now) === 0) taken++;
          expect(taken).toBeLessThanOrEqual(5 + now / 20 + 1e-6);
        }
      }),
    );
  });

  it('keeps limiting a key however many other keys there are', () => {
    const limit = new KeyedRateLimit({ perSecond: 1, burst: 1 });
    expect(limit.take('a', 0)).toBe(0);
    for (let i = 0; i < 5_000; i++) limit.take(`other ${i}`, 10);
    expect(limit.take('a', 20)).toBe(980);
    expect(limit.take('a', 1_000)).toBe(0);
  });

  it('forgets keys without recent events, then the oldest ones', () => {
    const limit = new KeyedRateLimit({ perSecond: 1, burst: 1 }, 10);
    for (let caller = 0; caller < 10; caller++) limit.take(`rested ${caller}`, 0);
    for (let caller = 0; caller < 11; caller++) limit.take(`new ${caller}`, 5000);
    expect(limit.take('new 0', 5000)).toBe(0);
    expect(limit.take('new 10', 5000)).toBe(1000);
  });
});
