import { describe, expect, it } from '@jest/globals';
import { closeCodeLabel } from './close-codes.js';

const slow = { code: 4008, reason: 'slow', reconnect: true };
const codes = { shuttingDown: slow, slow, noPong: slow };

describe('closeCodeLabel', () => {
  it('keeps numbers that a client makes up out of the metrics', () => {
    expect(closeCodeLabel(4008, codes)).toBe('4008');
    expect(closeCodeLabel(1006, codes)).toBe('1006');
    expect(closeCodeLabel(4711, codes)).toBe('other');
  });

  it('keeps the codes of other protocols out of the metrics', () => {
    expect(closeCodeLabel(3008, codes)).toBe('other');
  });
});
