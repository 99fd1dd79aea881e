import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Link } from '../ipc/index.js';
import { DEAD_AFTER_S, replyToProbes, UNRESPONSIVE_AFTER_S, watchLiveness } from './liveness.js';

describe('watchLiveness', () => {
  let here: Link;
  let there: Link;
  let events: string[];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const [one, other] = duplexPair();
    [here, there] = [new Link(one), new Link(other)];
    events = [];
    watchLiveness(here, {
      onUnresponsive: () => events.push('unresponsive'),
      onRecovered: () => events.push('recovered'),
      onDead: () => events.push('dead'),
    });
  });
  afterEach(() => {
    here.close();
    jest.useRealTimers();
  });

  /** Lets so many seconds pass, with time for a reply in each. */
  async function seconds(count: number): Promise<void> {
    for (let second = 0; second < count; second++) {
      jest.advanceTimersByTime(1_000);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
  }

  it('reports nothing about a process that replies', async () => {
    replyToProbes(there);
    await seconds(3 * DEAD_AFTER_S);
    expect(events).toEqual([]);
  });

  it('reports a process that does not reply, and its recovery', async () => {
    const stopped = Promise.withResolvers<void>();
    there.serve('liveness', { probe: () => stopped.promise });
    await seconds(UNRESPONSIVE_AFTER_S - 1);
    expect(events).toEqual([]);
    await seconds(1);
    expect(events).toEqual(['unresponsive']);
    stopped.resolve();
    await seconds(3 * DEAD_AFTER_S);
    expect(events).toEqual(['unresponsive', 'recovered']);
  });

  it('reports a dead process once', async () => {
    there.serve('liveness', { probe: () => new Promise(() => {}) });
    await seconds(3 * DEAD_AFTER_S);
    expect(events).toEqual(['unresponsive', 'dead']);
  });

  it('stops when the link ends', async () => {
    there.close();
    await seconds(3 * DEAD_AFTER_S);
    expect(events).toEqual([]);
  });
});
