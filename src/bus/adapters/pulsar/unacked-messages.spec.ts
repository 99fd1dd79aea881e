import { describe, expect, it } from '@jest/globals';
import { InHand } from './unacked-messages.js';

describe('InHand', () => {
  it('has room for what was not answered yet', () => {
    const hand = new InHand<string>(2);
    hand.take('1', 'a');
    hand.take('2', 'b');
    expect(hand.room).toBe(0);
    expect(hand.release('1')).toBe('a');
    expect(hand.room).toBe(1);
    expect(hand.release('1')).toBeUndefined();
  });

  it('answers a message that came again by its newer handle, and hands it on once', () => {
    const hand = new InHand<string>(2);
    expect(hand.take('1', 'before')).toBe('new');
    hand.lost();
    expect(hand.take('1', 'after')).toBe('held');
    expect(hand.release('1')).toBe('after');
  });

  it('knows what the broker may have given to another member', () => {
    const hand = new InHand<string>(3);
    for (const position of ['1', '2', '3']) hand.take(position, position);
    expect(hand.isOurs('1')).toBe(true);
    hand.lost();
    expect(hand.isOurs('1')).toBe(false);
    hand.take('2', 'again');
    expect(hand.isOurs('2')).toBe(true);
    hand.release('3');
    expect(hand.take('3', 'again')).toBe('new');
    expect(hand.isOurs('3')).toBe(true);
    expect(hand.isOurs('4')).toBe(false);
  });

  it('tells what was acknowledged while nobody listened, until the next loss', () => {
    const hand = new InHand<string>(2);
    for (const position of ['1', '2']) hand.take(position, position);
    hand.lost();
    for (const position of ['1', '2']) hand.acknowledgedUnheard(position, hand.release(position)!);
    expect([...hand.unheard]).toEqual(['1', '2']);
    expect(hand.take('1', 'again')).toBe('acknowledged');
    expect(hand.take('1', 'once more')).toBe('new');
    hand.lost();
    expect(hand.take('2', 'again')).toBe('new');
  });
});
