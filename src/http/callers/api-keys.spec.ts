import { describe, expect, it } from '@jest/globals';
import { ApiKeys } from './api-keys.js';

const SHORT = 'short-key';
const LONG = 'a-longer-key-é';

describe('ApiKeys', () => {
  const keys = new ApiKeys([SHORT, LONG]);

  it('returns a different name for each key, and none of them is the key itself', () => {
    const names = [keys.match(SHORT), keys.match(LONG)];
    expect(names.every((name) => name !== undefined)).toBe(true);
    expect(new Set([...names, SHORT, LONG]).size).toBe(4);
    expect(new ApiKeys([LONG]).match(LONG)).toBe(names[1]);
  });

  it.each(['', 'short-ke', 'short-key\0', 'short-keys', 'Short-key', `${LONG}x`, 'x'.repeat(10_000)])(
    'does not match %j',
    (presented) => {
      expect(keys.match(presented)).toBeUndefined();
    },
  );

  it('matches nothing if there are no keys', () => {
    expect(new ApiKeys([]).isEmpty).toBe(true);
    expect(new ApiKeys([]).match('')).toBeUndefined();
  });
});
