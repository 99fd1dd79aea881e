import { describe, expect, it } from '@jest/globals';
import { parseMessageId } from './message-id.js';

describe('parseMessageId', () => {
  it.each([
    // Ids from a 4.0.8 broker: of a plain topic, and of partition 1 of a partitioned one.
    ['CAUQADAA', '5:0:-1:-1', 0],
    ['CAsQARgBMAA=', '11:1:1:-1', 1],
    // Partition and batch index are encoded as -1, ten bytes each.
    ['CAUQAxj///////////8BIP///////////wE=', '5:3:-1:-1', 0],
    ['CIABEMCEPQ==', '128:1000000:-1:-1', 0],
  ])('reads %s', (serialized, position, partition) => {
    expect(parseMessageId(Buffer.from(serialized, 'base64'))).toEqual({ position, partition });
  });

  it('stops at the end of a truncated id', () => {
    expect(parseMessageId(Buffer.from([0x08, 0xff])).partition).toBe(0);
  });
});
