import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { JsonScanner } from './json-scanner.js';
import { checkJson, isJson, membersOf, onOneLine } from './json-text.js';
import { DeepJsonError, MalformedJsonError } from './json.errors.js';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Spells a value with random white space between the tokens. */
function spaced(value: unknown, space: () => string): string {
  const around = (text: string): string => `${space()}${text}${space()}`;
  if (Array.isArray(value)) return around(`[${value.map((element) => spaced(element, space)).join(',')}]`);
  if (typeof value !== 'object' || value === null) return around(JSON.stringify(value));
  const members = Object.entries(value).map(
    ([key, member]) => `${around(JSON.stringify(key))}:${spaced(member, space)}`,
  );
  return around(`{${members.join(',')}}`);
}

describe('isJson', () => {
  it('accepts every JSON text, with any white space', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.infiniteStream(fc.constantFrom('', '', ' ', '\t', '\r\n')),
        (value, spaces) => {
          const text = spaced(value, () => spaces.next().value as string);
          expect(isJson(Buffer.from(text))).toBe(true);
        },
      ),
    );
  });

  it('agrees with JSON.parse about any text, and about JSON with one character changed', () => {
    const json = fc
      .json()
      .chain((text) =>
        fc
          .tuple(
            fc.nat(text.length - 1),
            fc.constantFrom('', '"', '\\', ',', ':', '{', ']', '0', '-', '.', 'e', 'u', '\n', '\u0001'),
          )
          .map(([at, character]) => text.slice(0, at) + character + text.slice(at + 1)),
      );
    const noise = fc.stringMatching(/^[{}[\],:"\\u00e1+\-.truefalsn \t]*$/);
    fc.assert(
      fc.property(fc.oneof(json, noise), (text) => {
        expect(isJson(Buffer.from(text))).toBe(parses(text));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    '',
    ' ',
    '01',
    '-',
    '1.',
    '.5',
    '1e',
    '+1',
    'nul',
    'nullx',
    '"\t"',
    '"\\x"',
    '"\\u12g4"',
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    '{"a" 1}',
    '1 2',
    '"',
    '"\\',
  ])('refuses %j', (text) => {
    expect(isJson(Buffer.from(text))).toBe(false);
  });

  it('agrees with JSON.parse about long strings, wherever they are in their buffer', () => {
    const piece = fc.constantFrom('x', 'é', '😀', '\\n', '\\u0041', '\\', '"', '\n', '\u001f', ' ', '\u007f');
    fc.assert(
      fc.property(fc.nat(5), fc.nat(600), fc.nat(600), piece, (offset, before, after, special) => {
        const text = `["${'x'.repeat(before)}${special}${'y'.repeat(after)}",1]`;
        const json = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]).subarray(offset);
        expect(isJson(json)).toBe(parses(text));
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(isJson(Buffer.from([0x22, 0xff, 0x22]))).toBe(false);
  });

  it('refuses a text that is nested deeper than 512 levels, without recursion', () => {
    const nested = (depth: number): Buffer =>
      Buffer.from('[{"a":'.repeat(depth / 2) + '1' + '}]'.repeat(depth / 2));
    expect(isJson(nested(512))).toBe(true);
    expect(isJson(nested(514))).toBe(false);
    expect(isJson(Buffer.alloc(1_000_000, '['))).toBe(false);
    expect(() => checkJson(nested(8), 6)).toThrow(DeepJsonError);
    expect(() => checkJson(nested(8), 8)).not.toThrow();
  });
});

describe('onOneLine', () => {
  it('removes newlines and nothing else', () => {
    const payload = Buffer.from('{\r\n  "a" : 1.0,\n\t"b":"\\n"\n}');
    expect(onOneLine(payload).toString()).toBe('{\r  "a" : 1.0,\t"b":"\\n"}');
  });

  it('returns the same buffer if there is nothing to remove', () => {
    const payload = Buffer.from('{"a":1}');
    expect(onOneLine(payload)).toBe(payload);
  });
});

describe('membersOf', () => {
  it('returns each member verbatim', () => {
    const members = membersOf(Buffer.from(' {"a" : 1.0, "b":[ ],"a":"\\u0041", "__proto__":{} } '));
    expect([...members].map(([key, raw]) => [key, raw.toString()])).toEqual([
      ['a', '"\\u0041"'],
      ['b', '[ ]'],
      ['__proto__', '{}'],
    ]);
  });

  it('refuses a text that is not an object', () => {
    expect(() => membersOf(Buffer.from('[]'))).toThrow(MalformedJsonError);
    expect(() => membersOf(Buffer.from('{} {}'))).toThrow(MalformedJsonError);
    expect(() => membersOf(Buffer.from([0x7b, 0x7d, 0xff]))).toThrow('UTF-8');
  });
});

describe('JsonScanner', () => {
  const read = <T>(text: string, reader: (scanner: JsonScanner) => T): T => {
    const scanner = new JsonScanner();
    scanner.start(Buffer.from(text));
    const value = reader(scanner);
    scanner.finish();
    return value;
  };

  it('reads strings as JSON.parse does', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', '"', '\\', '\n', '\u0001', 'é', '中', '😀', '\ud800', '\udfff'),
        }),
        (value) => {
          expect(read(JSON.stringify(value), (scanner) => scanner.readString())).toBe(value.toWellFormed());
        },
      ),
    );
  });

  it('replaces a lone surrogate by U+FFFD', () => {
    expect(read('"a\\ud800b"', (scanner) => scanner.readString())).toBe('a\ufffdb');
  });

  it('reads whole numbers only within their range', () => {
    const reading = (value: number): number =>
      read(String(value), (scanner) => scanner.readInteger(-500, 500));
    fc.assert(
      fc.property(fc.integer({ min: -500, max: 500 }), fc.integer({ min: 501 }), (inside, outside) => {
        expect(reading(inside)).toBe(inside);
        expect(() => reading(outside)).toThrow('range');
        expect(() => reading(-outside)).toThrow('range');
      }),
    );
  });

  it.each(['1.0', '1e2', '01', '-', '"1"', 'true', '1x'])('refuses %s as a whole number', (text) => {
    expect(() => read(text, (scanner) => scanner.readInteger(0, 100))).toThrow(MalformedJsonError);
  });

  it.each([
    ['7', 7],
    ['"7"', 7],
    ['"-7"', -7],
    ['1700000000000000000', 1_700_000_000_000_000_000],
  ])('reads %s as a whole number, in quotes or not', (text, expected) => {
    expect(read(text, (scanner) => scanner.readQuotableInteger(-10, 2 ** 64))).toBe(expected);
  });

  it.each(['"1.0"', '"0x1"', '""', '" 1"', '"01"', '"-11"', 'true'])(
    'refuses %s as a whole number, in quotes or not',
    (text) => {
      expect(() => read(text, (scanner) => scanner.readQuotableInteger(-10, 100))).toThrow(
        MalformedJsonError,
      );
    },
  );

  it('returns a value verbatim', () => {
    const text = ' [1.50, {"b" :"\\u00e9"}]\t';
    expect(read(text, (scanner) => scanner.readRaw()).toString()).toBe('[1.50, {"b" :"\\u00e9"}]');
  });
});
