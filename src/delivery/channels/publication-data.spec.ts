import { describe, expect, it } from '@jest/globals';
import { acceptsData } from './publication-data.js';

describe('acceptsData', () => {
  it.each([
    ['', '', false],
    ['', 'anything', true],
    ['binary', '', true],
    ['json', '', false],
    ['json', '"s"', true],
    ['json', 'null', true],
    ['json', '{', false],
    ['json_object', '{"a":1}', true],
    ['json_object', ' \n{ }', true],
    ['json_object', '{', false],
    ['json_object', '[]', false],
    ['json_object', 'null', false],
    ['json_object', '"s"', false],
  ] as const)('in the format %j takes %j: %s', (format, data, expected) => {
    expect(acceptsData(format, Buffer.from(data))).toBe(expected);
  });
});
