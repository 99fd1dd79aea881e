import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { fromBytes, toBytes } from './message-bytes.js';
import type { ScheduledMessage } from './message.js';

const time = fc.nat({ max: 8.64e15 });
const message: fc.Arbitrary<ScheduledMessage> = fc.record(
  {
    id: fc.uuid({ version: 7 }),
    channel: fc.string({ unit: 'binary', minLength: 1 }),
    data: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    format: fc.constantFrom('json', 'binary'),
    createdAt: time,
    dueAt: time,
    expiresAt: time,
    name: fc.string({ unit: 'grapheme' }),
    tags: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
    key: fc.string(),
    traceparent: fc.string(),
  },
  { requiredKeys: ['id', 'channel', 'data', 'format', 'createdAt', 'dueAt'], noNullPrototype: true },
);

describe('the bytes of a stored message', () => {
  it('give the message back, whatever is in it', () => {
    fc.assert(
      fc.property(message, (original) => {
        expect(fromBytes(original, toBytes(original))).toEqual(original);
      }),
    );
  });

  it('are read from the middle of a larger buffer', () => {
    fc.assert(
      fc.property(message, fc.uint8Array(), (original, before) => {
        const buffer = Buffer.concat([before, toBytes(original)]);
        expect(fromBytes(original, buffer.subarray(before.length))).toEqual(original);
      }),
    );
  });

  it('take due time and channel from where the store keeps them', () => {
    fc.assert(
      fc.property(message, (original) => {
        const moved = { id: original.id, channel: 'elsewhere', dueAt: 1 };
        expect(fromBytes(moved, toBytes(original))).toEqual({ ...original, ...moved });
      }),
    );
  });
});
