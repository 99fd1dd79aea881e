import { describe, expect, it } from '@jest/globals';
import { isJsonType } from './media-type.js';
import { parseMediaType } from './media-type.js';

describe('parseMediaType', () => {
  it('returns the type and the parameters', () => {
    const { type, parameters } = parseMediaType('Text/Plain ; A=1;b="x;\\"y" ;')!;
    expect([type, ...parameters]).toEqual(['text/plain', ['a', '1'], ['b', 'x;"y']]);
  });

  it.each(['', 'json', 'a/b c', 'a/b; c', 'a/b; c=', 'a/b; c="d', 'a/b, c/d', 'a/b; c=d e=f'])(
    'refuses %j',
    (text) => {
      expect(parseMediaType(text)).toBeUndefined();
    },
  );
});

describe('isJsonType', () => {
  it.each([
    'application/json',
    'application/json;charset=utf8',
    'application/json; charset=UTF-8',
    'APPLICATION/JSON ; Charset="utf-8"',
    'application/json; charset=utf-8; profile="https://example.com/a;b"',
    'application/json; odata=verbose',
    'application/json;',
  ])('accepts %j', (text) => {
    expect(isJsonType(text)).toBe(true);
  });

  it.each([
    'text/plain',
    'application/x-ndjson',
    'application/x-www-form-urlencoded',
    'application/problem+json',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/json charset=utf-8',
  ])('refuses %j', (text) => {
    expect(isJsonType(text)).toBe(false);
  });
});
