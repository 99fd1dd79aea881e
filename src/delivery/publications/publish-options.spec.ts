import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { UndeliverableRecordError } from '../../message/index.js';
import { fromMessageExtension, toMessageExtension, type QueuedPublishOptions } from './publish-options.js';

const bytes = fc.uint8Array().map((each) => Buffer.from(each));
const options: fc.Arbitrary<QueuedPublishOptions> = fc.record(
  {
    info: fc.record(
      { user: fc.string(), client: fc.string(), connInfo: bytes, chanInfo: bytes },
      { requiredKeys: ['user', 'client'], noNullPrototype: true },
    ),
    skipHistory: fc.boolean(),
    idempotencyKey: fc.string(),
    version: fc.maxSafeNat().map((version) => version || 1),
    versionEpoch: fc.string(),
    delta: fc.boolean(),
  },
  { requiredKeys: [], noNullPrototype: true },
);

describe('toMessageExtension and fromMessageExtension', () => {
  it('preserve the options', () => {
    fc.assert(
      fc.property(options, (original) => {
        expect(fromMessageExtension(toMessageExtension(original)) ?? {}).toEqual(original);
      }),
    );
  });

  it('use the headers that docs/message-format.md describes', () => {
    const info = { user: 'u', client: 'c', connInfo: Buffer.from('{}') };
    const extension = {
      'carillon-info': '{"user":"u","client":"c","connInfo":"e30="}',
      'carillon-skip-history': 'true',
      'carillon-idempotency-key': 'k',
      'carillon-data-version': '3',
      'carillon-data-version-epoch': 'e',
      'carillon-delta': 'false',
    };
    const all = { info, skipHistory: true, idempotencyKey: 'k', version: 3, versionEpoch: 'e', delta: false };
    expect(toMessageExtension(all)).toEqual(extension);
  });

  it('add nothing to a message without options', () => {
    expect(toMessageExtension({})).toBeUndefined();
    expect(fromMessageExtension(undefined)).toBeUndefined();
  });
});

describe('fromMessageExtension', () => {
  it.each([
    ['carillon-info', 'anna'],
    ['carillon-info', '{"user":1,"client":"c"}'],
    ['carillon-skip-history', 'yes'],
    ['carillon-skip-history', 'constructor'],
    ['carillon-data-version', '0'],
    ['carillon-data-version', '9007199254740993'],
    ['carillon-delta', ''],
  ])('refuses the header %s with the value %j', (header, value) => {
    expect(() => fromMessageExtension({ [header]: value })).toThrow(UndeliverableRecordError);
    expect(() => fromMessageExtension({ [header]: value })).toThrow(header);
  });

  it('ignores headers that it does not know', () => {
    expect(fromMessageExtension({ 'carillon-color': 'red', 'carillon-delta': 'true' })).toEqual({
      delta: true,
    });
  });

  it('reads the names that an earlier version stored', () => {
    const stored = { skipHistory: 'true', version: '3', info: '{"user":"u","client":"c"}' };
    expect(fromMessageExtension(stored)).toEqual({
      skipHistory: true,
      version: 3,
      info: { user: 'u', client: 'c' },
    });
  });
});
