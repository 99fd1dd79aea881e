import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Throttle } from './throttle.js';

describe('Throttle', () => {
  let calls: string[];
  const subscription = { pause: () => calls.push('pause'), resume: () => calls.push('resume') };

  beforeEach(() => {
    calls = [];
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('pauses after the largest number of batches, until the interval is over', () => {
    const throttle = new Throttle(1_000, 2);
    throttle.attach(subscription);
    throttle.countBatch();
    expect(calls).toEqual([]);
    throttle.countBatch();
    expect(calls).toEqual(['pause']);
    jest.advanceTimersByTime(999);
    expect(calls).toEqual(['pause']);
    jest.advanceTimersByTime(1);
    expect(calls).toEqual(['pause', 'resume']);
    throttle.countBatch();
    jest.advanceTimersByTime(1_000);
    expect(calls).toEqual(['pause', 'resume']);
    throttle.close();
  });

  it('pauses a subscription that is attached after the first batches', () => {
    const throttle = new Throttle(1_000, 1);
    throttle.countBatch();
    throttle.attach(subscription);
    expect(calls).toEqual(['pause']);
    throttle.close();
    jest.advanceTimersByTime(5_000);
    expect(calls).toEqual(['pause']);
  });

  it('does nothing without an interval', () => {
    const throttle = new Throttle(0, 1);
    throttle.attach(subscription);
    for (let count = 0; count < 5; count++) throttle.countBatch();
    expect(calls).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
