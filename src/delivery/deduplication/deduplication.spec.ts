import { beforeEach, describe, expect, it } from '@jest/globals';
import { array, assert, constantFrom, nat, property, record } from 'fast-check';
import { Deduplication } from './deduplication.js';

describe('Deduplication', () => {
  let now: number;
  beforeEach(() => {
    now = 1_000;
  });
  const create = (options: { maxEntries?: number; onShortened?: (coveredMs: number) => void } = {}) =>
    new Deduplication({ windowMs: 400, maxEntries: 1_000, now: () => now, ...options });

  it('keeps the ids of different channels apart', () => {
    const deduplication = create();
    const sights = ['a', 'b', 'c', 'a', 'b', 'c'].map((channel) => deduplication.firstSight('id', channel));
    expect(sights).toEqual([true, true, true, false, false, false]);
    expect(deduplication.size).toBe(3);
  });

  it('remembers an id for the window, and at most a quarter longer', () => {
    const sight = record({
      id: constantFrom('1', '2', '3'),
      channel: constantFrom('a', 'b'),
      pauseMs: nat(150),
    });
    assert(
      property(array(sight, { maxLength: 50 }), (sights) => {
        const deduplication = create();
        const rememberedAt = new Map<string, number>();
        for (const { id, channel, pauseMs } of sights) {
          now += pauseMs;
          const key = `${id} ${channel}`;
          const age = now - (rememberedAt.get(key) ?? -Infinity);
          const isFirst = deduplication.firstSight(id, channel);
          const mayBeEither = age >= 400 && age <= 500;
          expect(mayBeEither || isFirst === age > 400).toBe(true);
          if (isFirst) rememberedAt.set(key, now);
        }
      }),
    );
  });

  it('drops the oldest ids above the maximum, and reports it', () => {
    const shortenedTo: number[] = [];
    const deduplication = create({ maxEntries: 50, onShortened: (coveredMs) => shortenedTo.push(coveredMs) });
    for (let id = 0; id < 200; id++) {
      now++;
      expect(deduplication.firstSight(String(id), 'a')).toBe(true);
      expect(deduplication.size).toBeLessThanOrEqual(50);
    }
    expect(deduplication.firstSight('199', 'a')).toBe(false);
    expect(deduplication.firstSight('0', 'a')).toBe(true);
    expect(shortenedTo.length).toBeGreaterThan(0);
    expect(Math.max(...shortenedTo)).toBeLessThanOrEqual(50);
  });

  it('does not report ids that leave the window', () => {
    const shortenedTo: number[] = [];
    const deduplication = create({ onShortened: (coveredMs) => shortenedTo.push(coveredMs) });
    for (let id = 0; id < 500; id++) {
      now += 7;
      deduplication.firstSight(String(id), 'a');
    }
    expect(shortenedTo).toEqual([]);
    expect(deduplication.size).toBeLessThan(100);
  });
});
