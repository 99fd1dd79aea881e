import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseTimestamp } from './timestamp.js';

describe('parseTimestamp', () => {
  it.each([
    ['2030-01-31T09:00:00Z', '2030-01-31T09:00:00.000Z'],
    ['2030-01-31t09:00:00z', '2030-01-31T09:00:00.000Z'],
    ['2030-01-31T09:00:00.5Z', '2030-01-31T09:00:00.500Z'],
    ['2030-01-31T09:00:00.0001Z', '2030-01-31T09:00:00.001Z'],
    ['2030-01-31T09:00:00+02:00', '2030-01-31T07:00:00.000Z'],
    ['2030-01-31T09:00:00-05:30', '2030-01-31T14:30:00.000Z'],
    ['2030-01-31T00:00:00+01:00', '2030-01-30T23:00:00.000Z'],
    ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['2030-12-31T23:59:60Z', '2031-01-01T00:00:00.000Z'],
  ])('parses %s', (text, expected) => {
    expect(parseTimestamp(text)).toBe(Date.parse(expected));
  });

  it.each([
    ...'now 1893456000 2030-01-31 2030-01-31T09:00Z 2030-01-31T09:00:00 2030-1-31T09:00:00Z'.split(' '),
    ...'2030-02-30T00:00:00Z 2030-02-29T00:00:00Z 2030-13-01T00:00:00Z 2030-00-01T00:00:00Z'.split(' '),
    ...'2030-01-31T24:00:00Z 2030-01-31T09:60:00Z 2030-01-31T09:00:61Z 2030-01-31T09:00:00.Z'.split(' '),
    '2030-01-31T09:00:00+24:00',
    '2030-01-31 09:00:00Z',
    '2030-01-31T09:00:00 02:00',
    '',
  ])('refuses %j', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  it('parses what toISOString returns', () => {
    const range = { min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true };
    fc.assert(
      fc.property(fc.date(range), (date) => {
        expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
      }),
    );
  });
});
