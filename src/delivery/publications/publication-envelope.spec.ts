import { describe, expect, it } from '@jest/globals';
import {
  assert,
  boolean,
  constantFrom,
  dictionary,
  maxSafeNat,
  option,
  property,
  record,
  string,
  uint8Array,
} from 'fast-check';
import { decodePublication, encodePublication, envelopesIn, joinEnvelopes } from './publication-envelope.js';
import { LANES, Publication } from './publication.js';

const time = maxSafeNat().map((value) => value % 2 ** 48);
const text = string({ unit: 'binary', maxLength: 300 });
const bytes = uint8Array().map((each) => Buffer.from(each));
const publications = record({
  channel: text,
  data: bytes,
  format: constantFrom('json' as const, 'binary' as const),
  id: option(text, { nil: undefined }),
  createdAt: time,
  dueAt: option(time, { nil: undefined }),
  lane: constantFrom(...LANES),
  expiresAt: option(time, { nil: undefined }),
  kind: constantFrom('message' as const, 'join' as const, 'leave' as const, 'control' as const),
  tags: option(dictionary(string(), string(), { noNullPrototype: true }), { nil: undefined }),
  info: option(
    record(
      { user: text, client: text, connInfo: bytes, chanInfo: bytes },
      { requiredKeys: ['user', 'client'], noNullPrototype: true },
    ),
    { nil: undefined },
  ),
  delta: boolean(),
}).map(
  ({ channel, data, format, id, createdAt, dueAt, lane, expiresAt, kind, tags, info, delta }) =>
    new Publication({
      channel,
      data,
      format,
      id,
      createdAt,
      dueAt,
      lane,
      expiresAt,
      kind,
      tags,
      info,
      delta,
    }),
);

describe('encodePublication and decodePublication', () => {
  it('preserve a publication', () => {
    assert(
      property(publications, (publication) => {
        expect(decodePublication(encodePublication(publication))).toEqual(publication);
      }),
    );
  });

  it('use the documented bytes', () => {
    const publication = new Publication({
      channel: 'ch',
      data: Buffer.from('{}'),
      format: 'binary',
      id: 'id',
      createdAt: 1,
      dueAt: 2,
      lane: 'direct',
      expiresAt: 3,
    });
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

  it('ignore what a later version adds to the header', () => {
    const publication = new Publication({
      channel: 'ch',
      data: Buffer.from('{}'),
      format: 'json',
      id: 'id',
      createdAt: 1,
      lane: 'instant',
    });
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

  it('return undefined for anything else, and do not throw', () => {
    assert(
      property(uint8Array({ maxLength: 64 }), (rest) => {
        const starts = [[], [1], [128], [128, ...Buffer.alloc(18), 1]];
        const decoded = starts.map((start) => decodePublication(Buffer.from([...start, ...rest])));
        expect(decoded.every((each) => each === undefined || each instanceof Publication)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('return undefined for a truncated header', () => {
    assert(
      property(publications, maxSafeNat(), (publication, cut) => {
        const envelope = encodePublication(publication);
        const length = cut % envelope.readUInt32BE(2);
        expect(decodePublication(envelope.subarray(0, length))).toBeUndefined();
      }),
    );
  });

  it('read the position in the history before an envelope', () => {
    const publication = new Publication({
      channel: 'ch',
      data: Buffer.from('2'),
      format: 'json',
      id: 'id',
      createdAt: 1,
      lane: 'direct',
    });
    const place = Buffer.concat([
      Buffer.from('80000000000007', 'hex'),
      Buffer.from('AbCdEfGh'),
      Buffer.from('0000000131', 'hex'),
    ]);
    expect(decodePublication(Buffer.concat([place, encodePublication(publication)]))).toEqual(
      publication.at({ offset: 7, epoch: 'AbCdEfGh' }, Buffer.from('1')),
    );
  });

  it('read one or several envelopes from a message, even if it is truncated', () => {
    const [one, two] = [Buffer.from([1, 7]), Buffer.from([128])];
    expect(envelopesIn(one)).toEqual([one]);
    const several = Buffer.from([129, 0, 0, 0, 2, ...one, 0, 0, 0, 1, ...two]);
    expect(joinEnvelopes([one, two])).toEqual(several);
    expect(joinEnvelopes([one])).toEqual(one);
    expect(envelopesIn(several)).toEqual([one, two]);
    expect(envelopesIn(several.subarray(0, -1))).toEqual([one, Buffer.alloc(0)]);
    expect(envelopesIn(Buffer.from([129])).map(decodePublication)).toEqual([undefined]);
  });

  it('return undefined for an unknown version', () => {
    const envelope = encodePublication(
      new Publication({
        channel: 'c',
        data: Buffer.from('1'),
        format: 'json',
        createdAt: 0,
        lane: 'instant',
      }),
    );
    envelope[0] = 2;
    expect(decodePublication(envelope)).toBeUndefined();
  });

  it('throw if the channel or the id is too long', () => {
    const long = 'x'.repeat(65_536);
    for (const [channel, id] of [
      [long, 'id'],
      ['channel', long],
    ] as const) {
      const publication = new Publication({
        channel,
        data: Buffer.from('1'),
        format: 'json',
        id,
        createdAt: 0,
        lane: 'instant',
      });
      expect(() => encodePublication(publication)).toThrow('out of range');
    }
  });
});
