import { describe, expect, it } from '@jest/globals';
import { readTraceparent } from './traceparent.js';

const VALID = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('readTraceparent', () => {
  it('returns a valid header, and the known part of a later version', () => {
    expect(readTraceparent(VALID)).toBe(VALID);
    expect(readTraceparent(`cc${VALID.slice(2)}-what-the-future-brings`)).toBe(`cc${VALID.slice(2)}`);
  });

  it.each([
    undefined,
    '',
    'ff' + VALID.slice(2),
    VALID.toUpperCase(),
    `${VALID}-more`,
    `${VALID}0`,
    VALID.replace(/4bf9.*4736/, '0'.repeat(32)),
    VALID.replace('00f067aa0ba902b7', '0'.repeat(16)),
  ])('ignores %j', (header) => {
    expect(readTraceparent(header)).toBeUndefined();
  });
});
