import { describe, expect, it } from '@jest/globals';
import { validate, version } from 'uuid';
import { newMessageId } from './message.js';

describe('newMessageId', () => {
  it('returns different ids of version 7, which sort in the order of their creation', () => {
    const ids = Array.from({ length: 50_000 }, newMessageId);
    expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
  });

  it('contains the time of its creation, in ms', () => {
    const before = Date.now();
    const made = Number.parseInt(newMessageId().replaceAll('-', '').slice(0, 12), 16);
    expect(made).toBeGreaterThanOrEqual(before);
    expect(made).toBeLessThanOrEqual(Date.now() + 1);
  });
});
