import { describe, expect, it } from '@jest/globals';
import { JsonScanner } from '../json/index.js';
import {
  described,
  int64,
  jsonSchemaOf,
  list,
  message,
  one,
  payload,
  readMessage,
  string,
  stringMap,
  wideInt64,
  wideUint64,
} from './index.js';

interface Inner {
  readonly value: string;
}
interface Outer {
  readonly offset: number;
  readonly version: number;
  readonly expireAt: number;
  readonly data: Buffer | undefined;
  readonly inner: Inner | undefined;
  readonly inners: readonly Inner[];
  readonly tags: ReadonlyMap<string, string>;
}

const inner = message<Inner>({ value: string(1) });
const outer = message<Outer>({
  offset: int64(1),
  version: wideUint64(2),
  expireAt: wideInt64(3),
  data: described(payload(0), 'Any JSON.'),
  inner: one(4, () => inner),
  inners: list(5, () => inner),
  tags: stringMap(6),
});

function read(text: string): Outer {
  const scanner = new JsonScanner();
  scanner.start(Buffer.from(text));
  const result = readMessage(scanner, outer);
  scanner.finish();
  return result;
}

describe('readMessage', () => {
  it('reads every kind of field by its name in snake_case', () => {
    const { data, ...rest } = read(
      '{"offset":1,"version":2,"expire_at":-3,"data":{"a": 1.0},"inner":{"value":"x"},"inners":[{},{"value":"y"}],' +
        '"tags":{"a":"b"}}',
    );
    expect(data?.toString()).toBe('{"a": 1.0}');
    expect(rest).toEqual({
      offset: 1,
      version: 2,
      expireAt: -3,
      inner: { value: 'x' },
      inners: [{ value: '' }, { value: 'y' }],
      tags: new Map([['a', 'b']]),
    });
  });

  it('counts null as absent, except for a payload', () => {
    expect(read('{"offset":null,"version":null,"data":null,"inner":null,"inners":null,"tags":null}')).toEqual(
      {
        ...outer.zero,
        data: Buffer.from('null'),
      },
    );
  });

  it('reads a null in a list as the shared message without fields', () => {
    expect(read('{"inners":[null]}').inners[0]).toBe(inner.zero);
    expect(read('{"inners":[{}]}').inners[0]).not.toBe(inner.zero);
  });

  it('keeps the order of wide numbers beyond 2⁵³, and reads them in quotes', () => {
    expect(read('{"version":"18446744073709551615"}').version).toBe(2 ** 64);
    expect(read('{"version":1900000000000000000}').version).toBe(1_900_000_000_000_000_000);
    expect(read('{"offset":1900000000000000000}').offset).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => read('{"offset":"1"}')).toThrow(/not a number/);
    expect(() => read('{"version":"1.0"}')).toThrow(/not a whole number/);
  });
});

describe('message', () => {
  it('finds fields by number, without those that exist in JSON only', () => {
    expect(outer.numbers.map((field) => field?.name)).toEqual([
      undefined,
      'offset',
      'version',
      'expireAt',
      'inner',
      'inners',
      'tags',
    ]);
  });
});

describe('jsonSchemaOf', () => {
  it('describes every field', () => {
    const value = { type: 'object', properties: { value: { type: 'string' } } };
    expect(jsonSchemaOf(outer)).toEqual({
      type: 'object',
      properties: {
        offset: { type: 'integer' },
        version: { type: 'integer', minimum: 0 },
        expire_at: { type: 'integer' },
        data: { description: 'Any JSON.' },
        inner: value,
        inners: { type: 'array', items: value },
        tags: { type: 'object', additionalProperties: { type: 'string' } },
      },
    });
  });
});
