import { describe, expect, it } from '@jest/globals';
import { placeOf } from './message-id.js';

describe('placeOf', () => {
  it.each([
    // Answers of a 4.0.8 broker: a plain topic, and partition 1 of a partitioned one.
    ['CAUQADAA', '5:0:-1:-1', 0],
    ['CAsQARgBMAA=', '11:1:1:-1', 1],
    // partition and batch index as -1 in full, ten bytes each
    ['CAUQAxj///////////8BIP///////////wE=', '5:3:-1:-1', 0],
    ['CIABEMCEPQ==', '128:1000000:-1:-1', 0],
  ])('reads %s', (serialized, position, partition) => {
    expect(placeOf(Buffer.from(serialized, 'base64'))).toEqual({ position, partition });
  });

  it('ends at the end of what was cut off', () => {
    expect(placeOf(Buffer.from([0x08, 0xff])).partition).toBe(0);
  });
});
