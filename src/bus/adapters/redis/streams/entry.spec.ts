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
    ['fields of its own', ['channel', 'news', 'n', '1'], { channel: 'news', n: '1' }],
    ['headers that are not JSON', ['headers', 'x=1'], { headers: 'x=1' }],
    ['headers that are not an object', ['headers', '["x"]'], { headers: '["x"]' }],
    ['a number among the headers', ['headers', '{"n":1}'], { n: '1' }],
    ['headers and fields of its own', ['headers', '{"a":"1"}', 'b', '2'], { a: '1', b: '2' }],
    ['a field without a value', ['stray'], {}],
  ])('may be written by another program with %s', (_, fields, headers) => {
    expect(recordOf(entry(...fields), partition, 1)).toMatchObject({ headers, value: Buffer.alloc(0) });
  });

  it('never stops a consumer, whatever its fields are', () => {
    const json = oneof(
      jsonValue().map((value) => JSON.stringify(value)),
      constant('{"a":{"toString":1}}'),
    );
    const name = oneof(constant('headers'), constant('key'), constant('value'), headerNames);
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
