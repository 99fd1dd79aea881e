import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { glob } from './glob.js';

describe('glob', () => {
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
    ['[!c-a]', ['a', '-'], ['', 'ab']],
    ['[a\\-c]', ['a', '-', 'c'], ['b']],
    ['[a-]', ['a', '-'], ['b']],
    ['x[\\]]', ['x]'], ['x\\']],
  ])('%j', (pattern, fits, others) => {
    const isWanted = glob(pattern);
    expect(fits.filter((name) => !isWanted(name))).toEqual([]);
    expect(others.filter((name) => isWanted(name))).toEqual([]);
  });

  it('matches nothing if it is nested too deeply', () => {
    expect(glob('{'.repeat(5_000))('a')).toBe(false);
  });

  it('takes linear time', () => {
    const begun = process.cpuUsage();
    expect(glob('*a'.repeat(100))('a'.repeat(250) + 'b')).toBe(false);
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(1_000);
  });

  it('accepts any text as a pattern', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab[\]{}!^,*?\\.|()&~-]*$/), (pattern) => {
        expect(typeof glob(pattern)('ab')).toBe('boolean');
      }),
      { numRuns: 2_000 },
    );
  });
});
