import { describe, expect, it } from '@jest/globals';
import { UndeliverableRecordError } from '../../message/index.js';
import { HandlerTimedOutError, UnhandleableEventError } from '../consumers/consumer.errors.js';
import { RetryPolicy } from './retry-policy.js';

const settings = { maxAttempts: 5, retryInitialMs: 100, retryMaxMs: 350, retryJitter: 0.5 };
const now = 1_000_000;

describe('RetryPolicy', () => {
  it('doubles the pause up to the longest one, and shortens it by a random part', () => {
    const pausesWith = (random: number) =>
      [0, 1, 2, 3].map((attempts) => {
        const policy = new RetryPolicy(settings, () => random);
        return policy.outcomeOf(new Error('x'), attempts, now).dueAt - now;
      });
    expect(pausesWith(0)).toEqual([100, 200, 350, 350]);
    expect(pausesWith(1)).toEqual([50, 100, 175, 175]);
  });

  it('gives up at once after the last attempt', () => {
    const policy = new RetryPolicy(settings);
    expect(policy.outcomeOf(new Error('x'), 3, now)).toMatchObject({ attempts: 4, givenUp: false });
    expect(policy.outcomeOf(new Error('x'), 4, now)).toMatchObject({
      attempts: 5,
      givenUp: true,
      dueAt: now,
    });
  });

  it.each([
    [new UnhandleableEventError('x'), true],
    [new UndeliverableRecordError('x'), true],
    [new HandlerTimedOutError(10), false],
    ['a string', false],
  ])('gives up errors that a retry cannot solve: %s', (error, givenUp) => {
    expect(new RetryPolicy(settings).outcomeOf(error, 0, now).givenUp).toBe(givenUp);
  });
});
