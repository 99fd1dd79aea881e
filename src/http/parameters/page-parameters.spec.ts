import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { readCursor, writeCursor } from './page-parameters.js';
import { InvalidCursorError } from '../http.errors.js';

describe('a cursor', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (next) => {
        const cursor = writeCursor('schedules', next);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(readCursor('schedules', cursor)).toBe(next);
      }),
    );
  });

  const given = writeCursor('schedules', '1893456000000.0198c1f0-7b3a-7c52-9d0e-33a1c7e5f902');
  it.each([
    ['empty', ''],
    ['invented', 'invented'],
    ['invented in a former format', Buffer.from('after 1.2').toString('base64url')],
    ['incomplete', given.slice(0, -1)],
    ['longer', `${given}A`],
    ['padded', `${given}=`],
    ['of another list', writeCursor('dead-letters', '0198c1f0-7b3a-7c52-9d0e-33a1c7e5f902')],
    ['much too long', writeCursor('schedules', 'x'.repeat(1_000))],
  ])('is refused if it is %s', (_, cursor) => {
    expect(() => readCursor('schedules', cursor)).toThrow(InvalidCursorError);
  });
});
