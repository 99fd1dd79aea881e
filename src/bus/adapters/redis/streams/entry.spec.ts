import { describe, expect, it } from '@jest/globals';
import { array, assert, constant, jsonValue, oneof, property, tuple } from 'fast-check';
import { failureToDecode, headerNames, headerValues } from '../../../../../test/support/decoding.js';
import { fieldsOf, recordOf, type StreamEntry } from './entry.js';

const partition = { topic: 't', number: 3, stream: 's' };
const entry = (...fields: (string | Buffer)[]): StreamEntry => [
  Buffer.from('1700000000000-7'),
  fields.map((field) => Buffer.from(field)),
];

describe('A stream entry', () => {
  it('contains the fields of a record', () => {
    const record = { key: 'clé', headers: { a: 'ü', empty: '' }, value: Buffer.from([0, 255]) };
    expect(recordOf(entry(...fieldsOf(record)), partition, 2)).toEqual({
      ...record,
      topic: 't',
      partition: 3,
      position: '1700000000000-7',
      publishedAt: 1_700_000_000_000,
      attempt: 2,
    });
  });

  it('contains no fields that the record does not have', () => {
    expect(fieldsOf({ value: Buffer.alloc(0) })).toEqual(['value', Buffer.alloc(0)]);
    const received = recordOf(entry('value', ''), partition, 1);
    expect(received).not.toHaveProperty('key');
    expect(received).toMatchObject({ headers: {}, value: Buffer.alloc(0) });
  });

  it.each([
    ['fields beside the value', ['value', 'v', 'channel', 'news', 'n', '1'], { channel: 'news', n: '1' }],
    ['headers that are not JSON', ['value', 'v', 'headers', 'x=1'], { headers: 'x=1' }],
    ['headers that are not an object', ['value', 'v', 'headers', '["x"]'], { headers: '["x"]' }],
    ['a number among the headers', ['value', 'v', 'headers', '{"n":1}'], { n: '1' }],
    ['headers and other fields', ['headers', '{"a":"1"}', 'b', '2', 'value', 'v'], { a: '1', b: '2' }],
    ['an event beside the value', ['event', 'e', 'value', 'v'], { event: 'e' }],
    ['a field without a value', ['value', 'v', 'stray'], {}],
  ])('may be written by another program with %s', (_, fields, headers) => {
    const received = recordOf(entry(...fields), partition, 1);
    expect(received.headers).toEqual(headers);
    expect(String(received.value)).toBe('v');
  });

  it.each([
    ['no field', [], {}, ''],
    ['a key only', ['key', 'k'], {}, ''],
    ['fields of its own', ['channel', 'news', 'n', '1'], {}, '{"channel":"news","n":"1"}'],
    ['a reserved name of JavaScript', ['__proto__', 'x'], {}, '{"__proto__":"x"}'],
    ['fields and headers', ['headers', '{"a":"1"}', 'n', '1'], { a: '1' }, '{"n":"1"}'],
    ['an event without a payload', ['event', 'e'], { 'carillon-event': 'e' }, '{}'],
    [
      'an event as the original bus writes it',
      [
        'event',
        'income',
        'message_id',
        'm1',
        '_app',
        'live',
        '_host',
        'h',
        '_happened_at',
        '1700000000.25',
        'anchor',
        'mei',
      ],
      {
        'carillon-event': 'income',
        'carillon-id': 'm1',
        'carillon-created-at': '1700000000250',
        _app: 'live',
        _host: 'h',
      },
      '{"anchor":"mei"}',
    ],
  ])('without a value has its fields as the body: %s', (_, fields, headers, value) => {
    const received = recordOf(entry(...fields), partition, 1);
    expect(received.headers).toEqual(headers);
    expect(String(received.value)).toBe(value);
  });

  it('never stops a consumer, whatever its fields are', () => {
    const json = oneof(
      jsonValue().map((value) => JSON.stringify(value)),
      constant('{"a":{"toString":1}}'),
    );
    const names = ['headers', 'key', 'value', 'event', 'message_id', '_happened_at', '__proto__'];
    const name = oneof(...names.map((each) => constant(each)), headerNames);
    const fields = array(tuple(name, oneof(headerValues, json)));
    assert(
      property(fields, (given) => {
        const received = recordOf(entry(...given.flat()), partition, 1);
        expect(Object.values(received.headers).every((value) => typeof value === 'string')).toBe(true);
        expect(failureToDecode(received, 'redis')).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});
