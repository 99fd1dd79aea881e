import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { channelPattern } from './channel-pattern.js';

describe('channelPattern', () => {
  it.each([
    ['', ['', 'a', 'a:b'], []],
    ['*', ['a', 'a/b.c'], []],
    ['chat:*', ['chat:', 'chat:1'], ['chat', 'news:1', 'achat:1']],
    ['a?c', ['abc', 'a🔔c'], ['ac', 'abbc']],
    ['[a-c]1', ['a1', 'c1'], ['d1', '-1']],
    ['[!a-c]1', ['d1'], ['a1']],
    ['{news,chat:{a,b}}', ['news', 'chat:a', 'chat:b'], ['chat:c', 'news,chat']],
    ['a\\*', ['a*'], ['ab']],
    ['a.b+(c)|^$', ['a.b+(c)|^$'], ['axb+(c)|^$']],
    ['{open', ['open'], ['{open']],
    ['a,b}', ['a,b}'], []],
    ['[', ['['], []],
    ['[c-a]', [], ['a', 'b', 'c', '-']],
    ['[a\\-c]', ['a', '-', 'c'], ['b']],
    ['[a-]', ['a', '-'], ['b']],
    ['x[\\]]', ['x]'], ['x\\']],
  ])('%j', (glob, fits, others) => {
    const isWanted = channelPattern(glob);
    expect(fits.filter((name) => !isWanted(name))).toEqual([]);
    expect(others.filter((name) => isWanted(name))).toEqual([]);
  });

  it('takes any text for a pattern', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab[\]{}!^,*?\\.|()&~-]*$/), (glob) => {
        expect(typeof channelPattern(glob)('ab')).toBe('boolean');
      }),
      { numRuns: 2_000 },
    );
  });
});
