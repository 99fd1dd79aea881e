import { describe, expect, it } from '@jest/globals';
import { glob } from './glob.js';
import { checkGlob, checkRegex, PatternTooLongError } from './pattern-limits.js';
import { isRegex } from './regex.js';

describe('the limits of patterns', () => {
  it.each(['^[a-z]+$', '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'x'.repeat(4_096), '(a{100}){100}'])(
    'accept the regular expression %.40s',
    (source) => expect(() => checkRegex(source)).not.toThrow(),
  );

  it.each(['a|'.repeat(450_000), '((a{1000}){1000}){10}', '(a{1,999}){999}'])(
    'refuse the regular expression %.40s',
    (source) => {
      expect(() => checkRegex(source)).toThrow(PatternTooLongError);
      expect(isRegex(source)).toBe(false);
    },
  );

  it.each(['', '*', 'news:*', `{${'a,'.repeat(63)}}`])('accept the glob %.40s', (pattern) =>
    expect(() => checkGlob(pattern)).not.toThrow(),
  );

  it.each(['*'.repeat(900_000), `{${'a,'.repeat(64)}}`, '{'.repeat(100)])(
    'refuse the glob %.40s, which matches nothing',
    (pattern) => {
      expect(() => checkGlob(pattern)).toThrow(PatternTooLongError);
      expect(glob(pattern)('a')).toBe(false);
    },
  );

  it('let the longest glob be compiled, although its expression is longer', () => {
    expect(glob('ü'.repeat(512))('ü'.repeat(512))).toBe(true);
  });
});
