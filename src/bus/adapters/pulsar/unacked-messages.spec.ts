import { describe, expect, it } from '@jest/globals';
import { UnackedMessages } from './unacked-messages.js';

describe('UnackedMessages', () => {
  it('has capacity for the messages that are not acknowledged yet', () => {
    const unacked = new UnackedMessages<string>(2);
    unacked.add('1', 'a');
    unacked.add('2', 'b');
    expect(unacked.capacity).toBe(0);
    expect(unacked.remove('1')).toBe('a');
    expect(unacked.capacity).toBe(1);
    expect(unacked.remove('1')).toBeUndefined();
  });

  it('recognizes a redelivered message, and returns its newer handle', () => {
    const unacked = new UnackedMessages<string>(2);
    expect(unacked.add('1', 'before')).toBe('new');
    unacked.connectionLost();
    expect(unacked.add('1', 'after')).toBe('redelivered');
    expect(unacked.remove('1')).toBe('after');
  });

  it('does not own messages that the broker may have delivered to another member', () => {
    const unacked = new UnackedMessages<string>(3);
    for (const position of ['1', '2', '3']) unacked.add(position, position);
    expect(unacked.owns('1')).toBe(true);
    unacked.connectionLost();
    expect(unacked.owns('1')).toBe(false);
    unacked.add('2', 'again');
    expect(unacked.owns('2')).toBe(true);
    unacked.remove('3');
    expect(unacked.add('3', 'again')).toBe('new');
    expect(unacked.owns('3')).toBe(true);
    expect(unacked.owns('4')).toBe(false);
  });

  it('keeps acknowledgements that could not be sent until the next connection is lost', () => {
    const unacked = new UnackedMessages<string>(2);
    for (const position of ['1', '2']) unacked.add(position, position);
    unacked.connectionLost();
    for (const position of ['1', '2']) unacked.addUnsentAck(position, unacked.remove(position)!);
    expect([...unacked.unsentAcks]).toEqual(['1', '2']);
    expect(unacked.add('1', 'again')).toBe('acknowledged');
    expect(unacked.add('1', 'once more')).toBe('new');
    unacked.connectionLost();
    expect(unacked.add('2', 'again')).toBe('new');
  });
});
