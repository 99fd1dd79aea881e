import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Throttle } from './throttle.js';

describe('Throttle', () => {
  let gate: string[];
  const governed = { pause: () => gate.push('pause'), resume: () => gate.push('resume') };

  beforeEach(() => {
    gate = [];
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('lets so many batches through in an interval', () => {
    const pace = new Throttle(1_000, 2);
    pace.govern(governed);
    pace.taken();
    expect(gate).toEqual([]);
    pace.taken();
    expect(gate).toEqual(['pause']);
    jest.advanceTimersByTime(999);
    expect(gate).toEqual(['pause']);
    jest.advanceTimersByTime(1);
    expect(gate).toEqual(['pause', 'resume']);
    pace.taken();
    jest.advanceTimersByTime(1_000);
    expect(gate).toEqual(['pause', 'resume']);
    pace.close();
  });

  it('pauses what it comes to govern after the first batches', () => {
    const pace = new Throttle(1_000, 1);
    pace.taken();
    pace.govern(governed);
    expect(gate).toEqual(['pause']);
    pace.close();
    jest.advanceTimersByTime(5_000);
    expect(gate).toEqual(['pause']);
  });

  it('does nothing without an interval', () => {
    const pace = new Throttle(0, 1);
    pace.govern(governed);
    for (let count = 0; count < 5; count++) pace.taken();
    expect(gate).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
