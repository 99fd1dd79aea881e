import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { frame, fromBytes, toBytes } from './message-bytes.js';
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
    extension: fc.dictionary(fc.string(), fc.string(), { minKeys: 1, noNullPrototype: true }),
  },
  { requiredKeys: ['id', 'channel', 'data', 'format', 'createdAt', 'dueAt'], noNullPrototype: true },
);

describe('toBytes and fromBytes', () => {
  it('preserve every message', () => {
    fc.assert(
      fc.property(message, (original) => {
        expect(fromBytes(original, toBytes(original))).toEqual(original);
      }),
    );
  });

  it('read bytes from the middle of a larger buffer', () => {
    fc.assert(
      fc.property(message, fc.uint8Array(), (original, before) => {
        const buffer = Buffer.concat([before, toBytes(original)]);
        expect(fromBytes(original, buffer.subarray(before.length))).toEqual(original);
      }),
    );
  });

  it('take the id, the due time and the channel from the store', () => {
    fc.assert(
      fc.property(message, (original) => {
        const moved = { id: original.id, channel: 'elsewhere', dueAt: 1 };
        expect(fromBytes(moved, toBytes(original))).toEqual({ ...original, ...moved });
      }),
    );
  });

  it('read the extension that an earlier version stored among the fields of the message', () => {
    const bytes = frame({ format: 'json', createdAt: 1, skipHistory: true, version: 3 }, Buffer.from('{}'));
    expect(fromBytes({ id: 'i', channel: 'c', dueAt: 2 }, bytes)).toEqual({
      id: 'i',
      channel: 'c',
      data: Buffer.from('{}'),
      format: 'json',
      createdAt: 1,
      dueAt: 2,
      extension: { skipHistory: 'true', version: '3' },
    });
  });
});
