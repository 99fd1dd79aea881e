import { describe, expect, it } from '@jest/globals';
import { Publication } from '../../../../delivery/index.js';
import type { PublicationFields } from '../../../../delivery/publications/publication.js';
import { Framing } from '../../../connection/framing.js';
import { unencodable, type PublicationFormat } from '../../../connection/publication-format.js';
import { jsonCodec, protobufCodec } from './codecs.js';
import { inDeltas, infoOnWire, PublicationFormats } from './publication-formats.js';

const json = new PublicationFormats(jsonCodec);
const protobuf = new PublicationFormats(protobufCodec);

/** Puts nothing around a message. */
class Bare extends Framing {
  override readonly transport = 'test';
  override readonly ping = undefined;

  override frame(message: Buffer): Buffer {
    return message;
  }
}

const bare = new Bare();

function encoded(format: PublicationFormat, published: Publication): Buffer {
  return format.of(published, bare);
}

function publication(
  data: string | Buffer,
  extras: Partial<PublicationFields> = {},
  format: 'json' | 'binary' = 'json',
) {
  return new Publication({
    channel: 'news',
    data: Buffer.from(data),
    format,
    createdAt: 0,
    lane: 'direct',
    ...extras,
  });
}

const long = (n: number) => `{"list":"${'the same again and again '.repeat(10)}","n":${n}}`;

describe('PublicationFormats', () => {
  it('encodes once for all subscribers', () => {
    const published = publication('{"a":1}');
    expect(encoded(json.plain, published)).toBe(encoded(json.plain, published));
    expect(encoded(json.plain, published).toString()).toBe(
      '{"push":{"channel":"news","pub":{"data":{"a":1}}}}',
    );
  });

  it('adds the epoch to the first publication of a stream', () => {
    const at = (offset: number) => publication('1', { offset, epoch: 'abc' });
    expect(encoded(json.plain, at(1)).toString()).toContain('"offset":1,"epoch":"abc"');
    expect(encoded(json.plain, at(2)).toString()).not.toContain('epoch');
    expect(encoded(json.whole, at(1)).toString()).not.toContain('epoch');
  });

  it('cannot encode bytes that are not JSON for JSON clients', () => {
    const bytes = publication(Buffer.from([1, 2, 3, 0xff]), {}, 'binary');
    for (const format of [json.plain, json.whole, json.patch, json.message])
      expect(encoded(format, bytes)).toBe(unencodable);
    expect(encoded(protobuf.plain, bytes)).not.toBe(unencodable);
    const lucky = publication('{"a":1}', {}, 'binary');
    expect(encoded(json.plain, lucky)).not.toBe(unencodable);
  });

  it('sends a patch if it is shorter, otherwise the whole text', () => {
    const previous = Buffer.from(long(1));
    const patched = JSON.parse(
      encoded(json.patch, publication(long(2), { previous, delta: true })).toString(),
    );
    expect(patched.push.pub).toMatchObject({ delta: true });
    expect(patched.push.pub.data.length).toBeLessThan(40);
    const whole = JSON.parse(
      encoded(json.patch, publication('{"x":1}', { previous, delta: true })).toString(),
    );
    expect(whole.push.pub).toEqual({ data: '{"x":1}' });
    expect(JSON.parse(encoded(json.patch, publication('{"x":1}')).toString())).toEqual(whole);
  });

  it('reuses the last join or leave for the next subscriber', () => {
    const info = { user: 'ann', client: 'me' };
    const message = json.ofMovement('join', 'news', info);
    expect(json.ofMovement('join', 'news', info)).toBe(message);
    expect(json.ofMovement('leave', 'news', info).on(bare).toString()).toContain('"leave"');
  });
});

describe('inDeltas', () => {
  it('makes every publication but the first a patch from the previous one', () => {
    const row = [1, 2, 3].map((n) => publication(long(n), { offset: n }));
    expect(inDeltas(row, 'json').map(({ delta = false, offset }) => [offset, delta])).toEqual([
      [1, false],
      [2, true],
      [3, true],
    ]);
  });
});

describe('infoOnWire', () => {
  it('removes info that is not JSON for JSON clients', () => {
    const info = { user: 'ann', client: 'me', connInfo: Buffer.from('{'), chanInfo: Buffer.from('1') };
    expect(infoOnWire(info, 'protobuf')).toBe(info);
    expect(infoOnWire(info, 'json')).toEqual({ user: 'ann', client: 'me', chanInfo: Buffer.from('1') });
  });
});
