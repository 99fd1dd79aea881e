import { describe, expect, it } from '@jest/globals';
import { parametersOf } from './parameters.js';

describe('parametersOf', () => {
  it('returns the values of known parameters', () => {
    expect(parametersOf({ delay: '1' }, ['delay', 'lanes'])).toEqual(new Map([['delay', '1']]));
  });

  it.each([
    [{ dealy: '1' }, ['delay', 'lanes'], 'unknown parameter dealy: this path accepts delay, lanes'],
    [{ expand: '' }, [], 'unknown parameter expand: this path accepts none'],
    [{ delay: ['1', '2'] }, ['delay'], 'delay occurs more than once: only one value is accepted'],
  ])('refuses %j', (query, known, words) => {
    expect(() => parametersOf(query, known)).toThrow(words);
  });
});
