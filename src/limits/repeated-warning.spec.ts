import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RepeatedWarning } from './repeated-warning.js';

describe('a repeated warning', () => {
  let said: string[];
  let warning: RepeatedWarning;
  beforeEach(() => {
    jest.useFakeTimers();
    said = [];
    warning = new RepeatedWarning({ warn: (text: string) => void said.push(text) });
  });
  afterEach(() => void jest.useRealTimers());

  it('is logged at once, and those that follow with their number', () => {
    for (const text of ['a', 'b', 'c']) warning.warn(text);
    expect(said).toEqual(['a']);
    jest.advanceTimersByTime(1_000);
    expect(said).toEqual(['a', 'c (and 1 more like it)']);
    warning.warn('d');
    jest.advanceTimersByTime(1_000);
    expect(said).toEqual(['a', 'c (and 1 more like it)', 'd']);
  });

  it('is logged at once again after a second without warnings', () => {
    warning.warn('a');
    jest.advanceTimersByTime(1_000);
    warning.warn('b');
    expect(said).toEqual(['a', 'b']);
  });
});
