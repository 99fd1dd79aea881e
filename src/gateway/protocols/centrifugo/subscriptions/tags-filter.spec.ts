import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { FilterNode } from '../codec/commands.js';
import { compileTagsFilter, MAX_FILTER_NODES, type Tags } from './tags-filter.js';

const node = (parts: Partial<FilterNode>): FilterNode => ({
  op: '',
  key: '',
  cmp: '',
  val: '',
  vals: [],
  nodes: [],
  ...parts,
});

function matches(parts: Partial<FilterNode>, tags: Tags): boolean {
  const filter = compileTagsFilter(node(parts));
  expect(filter).toBeDefined();
  return filter!(tags);
}

describe('a comparison', () => {
  it.each([
    ['eq', 'abc', 'abc', true],
    ['eq', 'abc', 'abd', false],
    ['eq', 'abc', undefined, false],
    ['neq', 'abc', 'abc', false],
    ['neq', 'abc', undefined, true],
    ['sw', 'ab', 'abc', true],
    ['sw', 'ab', undefined, false],
    ['ew', 'bc', 'abc', true],
    ['ew', 'ab', 'abc', false],
    ['ct', 'b', 'abc', true],
    ['ct', 'b', undefined, false],
    ['lt', '10', '9', true],
    ['lt', '10', '10', false],
    ['lte', '10', '10.0', true],
    ['gt', '10', '+10.5', true],
    ['gt', '-10', '-9.99', true],
    ['gte', '10', '9.9', false],
    ['gte', '10', 'ten', false],
    ['gte', 'ten', '11', false],
    ['gt', '10', undefined, false],
    ['gt', '1', '1e3', false],
    ['gt', '9007199254740992', '9007199254740993', true],
    ['lt', '0.1000000000000000002', '0.1000000000000000001', true],
    ['gt', '-9007199254740993', '-9007199254740992.5', true],
  ])('%s %s of %s is %s', (cmp, val, value, expected) => {
    const tags: Tags = value === undefined ? {} : { k: value };
    expect(matches({ key: 'k', cmp, val }, tags)).toBe(expected);
  });

  it.each([
    ['in', 'b', true],
    ['in', 'c', false],
    ['nin', 'b', false],
    ['nin', 'c', true],
  ])('%s a set of %s is %s', (cmp, value, expected) => {
    expect(matches({ key: 'k', cmp, vals: ['a', 'b'] }, { k: value })).toBe(expected);
  });

  it('treats a missing tag as the empty string in a set', () => {
    expect(matches({ key: 'k', cmp: 'in', vals: ['a'] }, {})).toBe(false);
    expect(matches({ key: 'k', cmp: 'nin', vals: ['a'] }, {})).toBe(true);
    expect(matches({ key: 'k', cmp: 'in', vals: [''] }, {})).toBe(true);
  });

  it('checks whether a tag exists, and ignores inherited properties', () => {
    expect(matches({ key: 'k', cmp: 'ex' }, { k: '' })).toBe(true);
    expect(matches({ key: 'toString', cmp: 'ex' }, {})).toBe(false);
    expect(matches({ key: '__proto__', cmp: 'nex' }, {})).toBe(true);
  });

  it('orders numbers as numbers', () => {
    const decimal = fc
      .tuple(fc.integer(), fc.nat(999))
      .map(([whole, part]) => `${whole}.${String(part).padStart(3, '0')}`);
    fc.assert(
      fc.property(decimal, decimal, (left, right) => {
        const order = (text: string): string => `${text}000000000000`;
        expect(matches({ key: 'k', cmp: 'lt', val: right }, { k: left })).toBe(Number(left) < Number(right));
        expect(matches({ key: 'k', cmp: 'lt', val: order(right) }, { k: left })).toBe(
          Number(left) < Number(right),
        );
      }),
    );
  });
});

describe('a combination', () => {
  const a = node({ key: 'a', cmp: 'ex' });
  const b = node({ key: 'b', cmp: 'ex' });

  it.each([
    ['and', [a, b], { a: '' }, false],
    ['and', [a, b], { a: '', b: '' }, true],
    ['or', [a, b], { b: '' }, true],
    ['or', [a, b], {}, false],
    ['not', [a], {}, true],
    ['not', [node({ op: 'or', nodes: [a, b] })], { b: '' }, false],
  ])('%s of %j', (op, nodes, tags, expected) => {
    expect(matches({ op, nodes }, tags as Tags)).toBe(expected);
  });
});

describe('a malformed filter', () => {
  const leaf = node({ key: 'k', cmp: 'eq', val: 'v' });

  it.each<Partial<FilterNode>>([
    {},
    { op: 'and' },
    { op: 'or' },
    { op: 'not' },
    { op: 'not', nodes: [leaf, leaf] },
    { op: 'xor', nodes: [leaf] },
    { op: 'and', nodes: [leaf, node({ cmp: 'zz' })] },
    { key: 'k', cmp: 'zz', val: 'v' },
    { key: '', cmp: 'eq', val: 'v' },
    { key: 'k', cmp: 'eq' },
    { key: 'k', cmp: 'eq', val: 'v', vals: ['w'] },
    { key: 'k', cmp: 'gt' },
    { key: 'k', cmp: 'in' },
    { key: 'k', cmp: 'in', val: 'v', vals: ['v'] },
    { key: 'k', cmp: 'ex', val: 'v' },
    { key: 'k', cmp: 'nex', vals: ['v'] },
  ])('is refused: %j', (parts) => {
    expect(compileTagsFilter(node(parts))).toBeUndefined();
  });

  it('is refused if it is too large to be evaluated for every publication', () => {
    const all = (count: number) => node({ op: 'or', nodes: Array.from({ length: count }, () => leaf) });
    expect(compileTagsFilter(all(MAX_FILTER_NODES - 1))).toBeDefined();
    expect(compileTagsFilter(all(MAX_FILTER_NODES))).toBeUndefined();
    expect(compileTagsFilter(node({ op: 'and', nodes: [all(60), all(60)] }))).toBeUndefined();
  });
});
