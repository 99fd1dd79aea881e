import { describe, expect, it } from '@jest/globals';
import { parseDuration } from './duration.js';

describe('parseDuration', () => {
  it.each([
    ['300s', 300_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['1ns', 1],
    ['0', 0],
    [0, 0],
    ['0s', 0],
    ['5', undefined],
    ['-1s', undefined],
    ['1 s', undefined],
    ['', undefined],
    [300, undefined],
  ])('reads %j as %s', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });
});
