import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Link } from '../ipc/index.js';
import { answerPulse, GIVEN_UP_AFTER_S, SILENT_AFTER_S, watchPulse } from './pulse.js';

describe('the pulse of a process', () => {
  let here: Link;
  let there: Link;
  let heard: string[];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const [one, other] = duplexPair();
    [here, there] = [new Link(one), new Link(other)];
    heard = [];
    watchPulse(here, {
      onSilent: () => heard.push('silent'),
      onReturn: () => heard.push('back'),
      onGivenUp: () => heard.push('given up'),
    });
  });
  afterEach(() => {
    here.close();
    jest.useRealTimers();
  });

  /** As many questions, and time for the answer to each. */
  async function seconds(count: number): Promise<void> {
    for (let second = 0; second < count; second++) {
      jest.advanceTimersByTime(1_000);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
  }

  it('is heard of one that answers', async () => {
    answerPulse(there);
    await seconds(3 * GIVEN_UP_AFTER_S);
    expect(heard).toEqual([]);
  });

  it('is missed, and comes back with the answer', async () => {
    const stopped = Promise.withResolvers<void>();
    there.serve('pulse', { ask: () => stopped.promise });
    await seconds(SILENT_AFTER_S - 1);
    expect(heard).toEqual([]);
    await seconds(1);
    expect(heard).toEqual(['silent']);
    stopped.resolve();
    await seconds(3 * GIVEN_UP_AFTER_S);
    expect(heard).toEqual(['silent', 'back']);
  });

  it('is given up once', async () => {
    there.serve('pulse', { ask: () => new Promise(() => {}) });
    await seconds(3 * GIVEN_UP_AFTER_S);
    expect(heard).toEqual(['silent', 'given up']);
  });

  it('matters no more when the link has ended', async () => {
    there.close();
    await seconds(3 * GIVEN_UP_AFTER_S);
    expect(heard).toEqual([]);
  });
});
