import { describe, expect, it } from '@jest/globals';
import { assert, constantFrom, maxSafeNat, option, property, record, string, uint8Array } from 'fast-check';
import { decodePublication, encodePublication } from './publication-envelope.js';
import { LANES, Publication } from './publication.js';

const time = maxSafeNat().map((value) => value % 2 ** 48);
const text = string({ unit: 'binary', maxLength: 300 });
const publications = record({
  channel: text,
  data: uint8Array().map((bytes) => Buffer.from(bytes)),
  format: constantFrom('json' as const, 'binary' as const),
  id: option(text, { nil: undefined }),
  createdAt: time,
  dueAt: option(time, { nil: undefined }),
  lane: constantFrom(...LANES),
  expiresAt: option(time, { nil: undefined }),
}).map(
  ({ channel, data, format, id, createdAt, dueAt, lane, expiresAt }) =>
    new Publication(channel, data, format, id, createdAt, dueAt, lane, expiresAt),
);

describe('the envelope of a publication', () => {
  it('is read as it was written', () => {
    assert(
      property(publications, (publication) => {
        expect(decodePublication(encodePublication(publication))).toEqual(publication);
      }),
    );
  });

  it('is this, byte for byte', () => {
    const publication = new Publication('ch', Buffer.from('{}'), 'binary', 'id', 1, 2, 'direct', 3);
    expect(encodePublication(publication).toString('hex')).toBe(
      [
        '01',
        '2f',
        '00000020',
        '000000000001',
        '000000000002',
        '000000000003',
        '0002',
        '6964',
        '0002',
        '6368',
        '7b7d',
      ].join(''),
    );
  });

  it('may have more in its header than this version knows', () => {
    const publication = new Publication('ch', Buffer.from('{}'), 'json', 'id', 1, undefined, 'instant');
    const envelope = encodePublication(publication);
    const dataOffset = envelope.readUInt32BE(2);
    const later = Buffer.concat([
      envelope.subarray(0, dataOffset),
      Buffer.from('new'),
      envelope.subarray(dataOffset),
    ]);
    later.writeUInt32BE(dataOffset + 3, 2);
    expect(decodePublication(later)).toEqual(publication);
  });

  it('is refused, and no more than that, when it is anything else', () => {
    assert(
      property(uint8Array({ maxLength: 64 }), (bytes) => {
        const decoded = [[], [1]].map((start) => decodePublication(Buffer.from([...start, ...bytes])));
        expect(decoded.every((each) => each === undefined || each instanceof Publication)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused when its header is cut short', () => {
    assert(
      property(publications, maxSafeNat(), (publication, cut) => {
        const envelope = encodePublication(publication);
        const length = cut % envelope.readUInt32BE(2);
        expect(decodePublication(envelope.subarray(0, length))).toBeUndefined();
      }),
    );
  });

  it('is refused in a version that is not known', () => {
    const envelope = encodePublication(
      new Publication('c', Buffer.from('1'), 'json', undefined, 0, undefined, 'instant'),
    );
    envelope[0] = 2;
    expect(decodePublication(envelope)).toBeUndefined();
  });

  it('cannot be written for a channel or an id that is too long', () => {
    const long = 'x'.repeat(65_536);
    for (const [channel, id] of [
      [long, 'id'],
      ['channel', long],
    ] as const) {
      const publication = new Publication(channel, Buffer.from('1'), 'json', id, 0, undefined, 'instant');
      expect(() => encodePublication(publication)).toThrow('out of range');
    }
  });
});
