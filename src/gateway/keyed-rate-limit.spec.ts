import { describe, expect, it } from '@jest/globals';
import { KeyedRateLimit } from './keyed-rate-limit.js';

describe('KeyedRateLimit', () => {
  it('limits each key by itself', () => {
    const limit = new KeyedRateLimit({ perSecond: 10, burst: 2 });
    expect([limit.admits('a', 0), limit.admits('a', 0), limit.admits('a', 0)]).toEqual([true, true, false]);
    expect(limit.admits('b', 0)).toBe(true);
    expect(limit.admits('a', 100)).toBe(true);
  });

  it('goes on limiting a key however many others come', () => {
    const limit = new KeyedRateLimit({ perSecond: 1, burst: 1 });
    expect(limit.admits('a', 0)).toBe(true);
    for (let i = 0; i < 5_000; i++) limit.admits(`other ${i}`, 10);
    expect(limit.admits('a', 20)).toBe(false);
    expect(limit.admits('a', 1_001)).toBe(true);
  });
});
