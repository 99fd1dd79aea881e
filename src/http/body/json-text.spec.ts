import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CarillonError } from '../../errors.js';
import { parseJson } from './json-text.js';

function codeOf(bytes: Buffer, maxDepth = 64): string {
  try {
    parseJson(bytes, maxDepth);
    return 'ok';
  } catch (error) {
    return (error as CarillonError).code;
  }
}

describe('parseJson', () => {
  it('accepts every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(parseJson(Buffer.from(JSON.stringify(value)), 64)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    ['nothing', '', 'empty_body'],
    ['white space', ' \n', 'invalid_json'],
    ['text', 'Hello', 'invalid_json'],
    ['two values', '{}{}', 'invalid_json'],
    ['a trailing comma', '[1,]', 'invalid_json'],
    ['single quotes', "{'a':1}", 'invalid_json'],
    ['NaN', 'NaN', 'invalid_json'],
    ['an open string', '"[[[', 'invalid_json'],
    ['an escape at the end', '"\\', 'invalid_json'],
    ['a byte order mark', '\uFEFF{}', 'invalid_json'],
    ['a control character in a string', '"\u0001"', 'invalid_json'],
  ])('refuses %s', (_, text, code) => {
    expect(codeOf(Buffer.from(text))).toBe(code);
  });

  it.each([
    ['a stray continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut sequence', [0x22, 0xe2, 0x82]],
  ])('refuses invalid UTF-8: %s', (_, bytes) => {
    expect(codeOf(Buffer.from(bytes))).toBe('invalid_utf8');
  });

  it('counts nesting, but not brackets in strings', () => {
    const nested = (depth: number) => Buffer.from('[{"a":'.repeat(depth / 2) + '1' + '}]'.repeat(depth / 2));
    expect(codeOf(nested(8), 8)).toBe('ok');
    expect(codeOf(nested(10), 8)).toBe('json_too_deep');
    expect(codeOf(Buffer.from('[[],[],[],[]]'), 2)).toBe('ok');
    expect(codeOf(Buffer.from('["[[[[\\"[[[[","\\\\",{"[":"{"}]'), 2)).toBe('ok');
    expect(codeOf(Buffer.from('['.repeat(60_000)))).toBe('json_too_deep');
  });
});
