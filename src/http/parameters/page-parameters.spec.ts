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
    ['made up', 'made-up'],
    ['made up with a form that was once right', Buffer.from('after 1.2').toString('base64url')],
    ['cut', given.slice(0, -1)],
    ['longer', `${given}A`],
    ['padded', `${given}=`],
    ['that of another list', writeCursor('dead-letters', '0198c1f0-7b3a-7c52-9d0e-33a1c7e5f902')],
    ['far too long', writeCursor('schedules', 'x'.repeat(1_000))],
  ])('is refused where it is %s', (_, cursor) => {
    expect(() => readCursor('schedules', cursor)).toThrow(InvalidCursorError);
  });
});
