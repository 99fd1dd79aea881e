import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { validate, version } from 'uuid';
import { UndeliverableRecordError } from './message.errors.js';
import type { ForeignRecordRule } from './foreign-record.js';
import { messageHeaders, toMessage, toRecord } from './message-record.js';
import { type Message, newMessageId } from './message.js';
import type { OutgoingRecord, ReceivedRecord } from './record.js';

const received = (record: Partial<ReceivedRecord> & OutgoingRecord): ReceivedRecord => ({
  topic: 'orders',
  partition: 3,
  position: '42',
  headers: {},
  publishedAt: 1_800_000_000_000,
  attempt: 1,
  ...record,
});
const headed = (headers: Record<string, string>, body = '{}') =>
  received({
    headers: { 'carillon-version': '1', 'carillon-channel': 'news', ...headers },
    value: Buffer.from(body),
  });

describe('toRecord and toMessage', () => {
  const instant = fc.integer({ min: 0, max: 8.64e15 });
  const message: fc.Arbitrary<Message> = fc.record(
    {
      id: fc.uuid({ version: 7 }),
      channel: fc.string({ minLength: 1, unit: 'grapheme' }),
      data: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      format: fc.constant('binary' as const),
      createdAt: instant,
      name: fc.string({ unit: 'grapheme' }),
      // A tag with this name is dropped when it is read, so that it cannot become the prototype of an object.
      tags: fc.dictionary(
        fc.string().filter((name) => name !== '__proto__'),
        fc.string({ unit: 'grapheme' }),
      ),
      key: fc.string(),
      dueAt: instant,
      expiresAt: instant,
      traceparent: fc.constant('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
      extension: fc.dictionary(
        fc.string({ unit: 'grapheme' }).map((name) => `carillon-x-${name}`),
        fc.string({ unit: 'grapheme' }),
        { minKeys: 1, noNullPrototype: true },
      ),
    },
    { requiredKeys: ['id', 'channel', 'data', 'format', 'createdAt'] },
  );

  it('preserve a message', () => {
    fc.assert(
      fc.property(message, (sent) => {
        // The key of a message without a key is its channel.
        fc.pre(sent.key !== sent.channel);
        expect(toMessage(received(toRecord(sent)))).toEqual(sent);
      }),
    );
  });

  it('do not copy the data', () => {
    const data = Buffer.from('{"a": 1}\n');
    const record = toRecord({ id: newMessageId(), channel: 'c', data, format: 'json', createdAt: 1 });
    expect(record.value).toBe(data);
    expect(record.key).toBe('c');
    expect(toMessage(received(record)).data).toBe(data);
  });

  it('throw no other error than UndeliverableRecordError', () => {
    const headers = fc.dictionary(fc.constantFrom(...Object.values(messageHeaders)), fc.string());
    const outcomeOf = (given: Record<string, string>, body: Uint8Array) => {
      try {
        const record = received({ headers: given, value: Buffer.from(body) });
        return toMessage(record, { from: 'fixed', channel: 'c' }).channel;
      } catch (error) {
        return error;
      }
    };
    fc.assert(
      fc.property(headers, fc.uint8Array(), (given, body) => {
        const outcome = outcomeOf(given, body);
        expect(typeof outcome === 'string' || outcome instanceof UndeliverableRecordError).toBe(true);
      }),
    );
  });
});

describe('toMessage', () => {
  it('needs only the headers for version and channel', () => {
    expect(toMessage(headed({}, '[1]'))).toEqual({
      id: expect.any(String),
      channel: 'news',
      data: Buffer.from('[1]'),
      format: 'json',
      createdAt: 1_800_000_000_000,
    });
  });

  it.each([
    ['an unknown version', headed({ 'carillon-version': '2' }), 'carillon-version ("2")'],
    ['no channel', headed({ 'carillon-channel': '' }), 'carillon-channel is absent'],
    [
      'a time that is not a number',
      headed({ 'carillon-due-at': 'tomorrow' }),
      'carillon-due-at ("tomorrow")',
    ],
    ['a negative time', headed({ 'carillon-created-at': '-1' }), 'carillon-created-at ("-1")'],
    [
      'a time that is out of range',
      headed({ 'carillon-expires-at': '9999999999999999' }),
      'carillon-expires-at',
    ],
    ['an unknown format', headed({ 'carillon-format': 'xml' }), 'carillon-format ("xml")'],
    ['tags that are not an object', headed({ 'carillon-tags': '["a"]' }), 'carillon-tags'],
    ['tags that are not strings', headed({ 'carillon-tags': '{"a":1}' }), 'carillon-tags'],
    ['tags that are not JSON', headed({ 'carillon-tags': '{' }), 'carillon-tags'],
    ['a body that is not JSON', headed({ 'carillon-format': 'json' }, '{"a":'), 'not JSON in UTF-8'],
    ['an empty body as JSON', headed({}, ''), 'not JSON in UTF-8'],
    ['JSON that nests too deep', headed({}, '['.repeat(600) + ']'.repeat(600)), 'not JSON in UTF-8'],
  ])('refuses %s', (_, record, reason) => {
    expect(() => toMessage(record)).toThrow(UndeliverableRecordError);
    expect(() => toMessage(record)).toThrow(reason);
  });

  it('refuses JSON that is not UTF-8, at which a client would close its connection', () => {
    const record = received({ headers: headed({}).headers, value: Buffer.from([0x22, 0xff, 0x22]) });
    expect(() => toMessage(record)).toThrow('not JSON in UTF-8');
  });

  it('truncates a long header in its error', () => {
    expect(() => toMessage(headed({ 'carillon-tags': 'x'.repeat(10_000) }))).toThrow(/^.{0,200}$/);
  });

  it.each(['nonsense', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`])(
    'ignores the trace context %s',
    (traceparent) => {
      expect(toMessage(headed({ traceparent }))).not.toHaveProperty('traceparent');
    },
  );
});

describe('toMessage, for a record without Carillon headers', () => {
  const foreign = received({ key: 'anna', headers: { room: 'lobby' }, value: Buffer.from('{"a":1}') });

  it.each<[ForeignRecordRule, string]>([
    [{ from: 'fixed', channel: 'all' }, 'all'],
    [{ from: 'header', header: 'room' }, 'lobby'],
    [{ from: 'key' }, 'anna'],
  ])('finds the channel by the rule %j', (rule, channel) => {
    expect(toMessage(foreign, rule)).toMatchObject({ channel, data: foreign.value, format: 'json' });
  });

  it.each<[string, ForeignRecordRule | undefined]>([
    ['there is no rule', undefined],
    ['the header is absent', { from: 'header', header: 'missing' }],
    ['there is no key', { from: 'key' }],
  ])('refuses it if %s', (_, rule) => {
    expect(() => toMessage(received({ value: foreign.value }), rule)).toThrow(UndeliverableRecordError);
  });

  it('treats a body that is not JSON as binary', () => {
    const record = received({ value: Buffer.from([0xff]) });
    expect(toMessage(record, { from: 'fixed', channel: 'c' }).format).toBe('binary');
  });

  it('derives the same id at each delivery, and a different one for each record', () => {
    const rule = { from: 'fixed', channel: 'c' } as const;
    const idOf = (change: Partial<ReceivedRecord>) => toMessage({ ...foreign, ...change }, rule).id;
    const id = idOf({});
    expect(validate(id) && version(id)).toBe(7);
    expect(idOf({ attempt: 2 })).toBe(id);
    const others = [
      idOf({ position: '43' }),
      idOf({ partition: 4 }),
      idOf({ topic: 'others' }),
      idOf({ publishedAt: 1_800_000_000_001 }),
    ];
    expect(new Set([id, ...others]).size).toBe(5);
    expect(id < idOf({ publishedAt: 1_800_000_000_001 })).toBe(true);
    expect(validate(idOf({ publishedAt: -1 }))).toBe(true);
  });
});
