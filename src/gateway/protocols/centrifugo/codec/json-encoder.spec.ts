import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { jsonCodec } from './codecs.js';
import { replyErrors } from '../centrifugo.errors.js';
import type { Publication } from './replies.js';

const { encodeResult, encodeError, encodePush, encodePublicationPush } = jsonCodec;

describe('a result', () => {
  it('omits zero values', () => {
    const result = { expires: false, ttl: 0, epoch: '', publications: [], data: Buffer.alloc(0), offset: 3 };
    expect(encodeResult(1, 'subscribe', result).toString()).toBe('{"id":1,"subscribe":{"offset":3}}');
    expect(encodeResult(1, 'connect', { client: 'c', subs: new Map() }).toString()).toBe(
      '{"id":1,"connect":{"client":"c"}}',
    );
  });

  it('always writes the fields that clients rely on', () => {
    expect(encodeResult(1, 'history', {}).toString()).toBe(
      '{"id":1,"history":{"publications":[],"epoch":"","offset":0}}',
    );
    expect(encodeResult(1, 'presence', {}).toString()).toBe('{"id":1,"presence":{"presence":{}}}');
    expect(encodeResult(1, 'presenceStats', {}).toString()).toBe(
      '{"id":1,"presence_stats":{"num_clients":0,"num_users":0}}',
    );
    expect(encodePush('join', 'c', { info: {} }).toString()).toBe(
      '{"push":{"channel":"c","join":{"info":{"user":"","client":""}}}}',
    );
  });

  it('contains payloads unchanged, on one line', () => {
    expect(encodeResult(1, 'rpc', { data: Buffer.from('{ "é" :\n1.0}') }).toString()).toBe(
      '{"id":1,"rpc":{"data":{ "é" :1.0}}}',
    );
  });

  it('escapes names', () => {
    const presence = new Map([['a"\n', { user: '\\', client: 'c' }]]);
    const text = encodeResult(1, 'presence', { presence }).toString();
    expect(JSON.parse(text)).toMatchObject({ presence: { presence: { 'a"\n': { user: '\\' } } } });
    expect(text).not.toContain('\n');
  });
});

describe('an error', () => {
  it('contains temporary only if it is', () => {
    expect(encodeError(2, replyErrors.internal).toString()).toBe(
      '{"id":2,"error":{"code":100,"message":"internal server error","temporary":true}}',
    );
    expect(encodeError(2, replyErrors.unknownChannel).toString()).toBe(
      '{"id":2,"error":{"code":102,"message":"unknown channel"}}',
    );
  });
});

describe('a push', () => {
  it('has no channel if it is about the connection', () => {
    expect(encodePush('refresh', '', { expires: true, ttl: 5 }).toString()).toBe(
      '{"push":{"refresh":{"expires":true,"ttl":5}}}',
    );
  });

  it('of a publication has the same bytes on the fast path', () => {
    const text = fc.string({ unit: 'grapheme' });
    const absent = fc.constant(undefined);
    const publication: fc.Arbitrary<Publication> = fc.record({
      data: fc.oneof(
        absent,
        fc.constant(Buffer.alloc(0)),
        fc.json().map((json) => Buffer.from(json)),
      ),
      info: fc.oneof(absent, fc.record({ user: text, client: text })),
      offset: fc.oneof(absent, fc.maxSafeNat()),
      tags: fc.oneof(absent, fc.dictionary(text, text)),
      delta: fc.boolean(),
      epoch: text,
    });
    fc.assert(
      fc.property(text, publication, (channel, each) => {
        const bytes = encodePublicationPush(channel === '' ? 'c' : channel, each);
        expect(bytes).toEqual(encodePush('pub', channel === '' ? 'c' : channel, each));
        expect(() => JSON.parse(bytes.toString()) as unknown).not.toThrow();
      }),
    );
  });
});
