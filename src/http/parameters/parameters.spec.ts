import { describe, expect, it } from '@jest/globals';
import { parametersOf } from './parameters.js';

describe('parametersOf', () => {
  it('gives the values of what is known', () => {
    expect(parametersOf({ delay: '1' }, ['delay', 'lanes'])).toEqual(new Map([['delay', '1']]));
  });

  it.each([
    [{ dealy: '1' }, ['delay', 'lanes'], 'there is no parameter dealy here; there are delay, lanes'],
    [{ expand: '' }, [], 'there is no parameter expand here; there are none'],
    [{ delay: ['1', '2'] }, ['delay'], 'delay was given more than once'],
  ])('refuses %j', (query, known, words) => {
    expect(() => parametersOf(query, known)).toThrow(words);
  });
});
