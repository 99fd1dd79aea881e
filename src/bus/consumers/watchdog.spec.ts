import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Watchdog } from './watchdog.js';

describe('Watchdog', () => {
  let watchdog: Watchdog;
  let expired: string[];
  const watch = (name: string) => watchdog.watch(() => expired.push(name));

  beforeEach(() => {
    jest.useFakeTimers();
    watchdog = new Watchdog(100);
    expired = [];
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('reports each call that takes too long, at its time-out', () => {
    watch('a');
    jest.advanceTimersByTime(40);
    watch('b');
    jest.advanceTimersByTime(59);
    expect(expired).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(expired).toEqual(['a']);
    jest.advanceTimersByTime(39);
    expect(expired).toEqual(['a']);
    jest.advanceTimersByTime(1);
    expect(expired).toEqual(['a', 'b']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('reports no call that has ended, and uses one timer for all', () => {
    for (let count = 0; count < 1_000; count++) watch(`${count}`)();
    const release = watch('last');
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(99);
    release();
    jest.advanceTimersByTime(1_000);
    expect(expired).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('reports nothing after its close', () => {
    watch('a');
    watchdog.close();
    jest.advanceTimersByTime(1_000);
    expect(expired).toEqual([]);
  });
});
