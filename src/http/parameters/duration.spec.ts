import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseDurationMs } from './duration.js';

describe('parseDurationMs', () => {
  it.each([
    ['0', 0],
    ['3000', 3000],
    ['-1', -1],
    ['PT3S', 3000],
    ['PT0.5S', 500],
    ['PT0,5S', 500],
    ['PT1.1S', 1100],
    ['PT0.0001S', 1],
    ['PT1.5M', 90_000],
    ['P1DT12H', 129_600_000],
    ['P2W', 1_209_600_000],
    ['P0.5D', 43_200_000],
    ['PT36H', 129_600_000],
    ['PT0S', 0],
    ['-PT3S', -3000],
    ['9'.repeat(400), Infinity],
  ])('parses %s', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each([
    ...'3.5 1e3 0x10 +5 3s ٣ P PT P1DT PTS PT3 3S pt3s P1H PT1D PT-3S PT.5S PT3.S'.split(' '),
    ...'P1Y P1M P1W2D PT1.5H30M P1.5DT1S'.split(' '),
    '',
    ' ',
    '3 000',
    'PT3S ',
    'PT3S\n',
  ])('refuses %j', (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });

  it('adds up all parts, exact to the ms', () => {
    const part = fc.option(fc.nat(999), { nil: undefined });
    fc.assert(
      fc.property(fc.tuple(part, part, part, part), fc.nat(999), ([days, hours, minutes, seconds], ms) => {
        const text = [
          'P',
          days === undefined ? '' : `${days}D`,
          'T',
          hours === undefined ? '' : `${hours}H`,
          minutes === undefined ? '' : `${minutes}M`,
          `${seconds ?? 0}.${String(ms).padStart(3, '0')}S`,
        ].join('');
        const whole = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
        expect(parseDurationMs(text)).toBe(whole * 1000 + ms);
      }),
    );
  });

  it('returns a number or undefined for any text, never NaN', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^-?P?[\dT.,WDHMS]*$/)), (text) => {
        expect(parseDurationMs(text)).not.toBeNaN();
      }),
    );
  });
});
