import type { FilterNode } from '../codec/commands.js';

export type Tags = Readonly<Record<string, string>>;

/** Whether the subscriber receives a publication with these tags. */
export type TagsFilter = (tags: Tags) => boolean;

type Test = (value: string | undefined) => boolean;

/** Maximum number of nodes of a filter, because it is evaluated for every publication of the channel. */
export const MAX_FILTER_NODES = 100;

/**
 * Compiles a filter to a function. Returns undefined if the filter is malformed or too large (error 107). It is compiled once per
 * subscription, so that the evaluation per publication and subscriber is fast.
 */
export function compileTagsFilter(filter: FilterNode): TagsFilter | undefined {
  return countUpTo(MAX_FILTER_NODES + 1, filter) > MAX_FILTER_NODES ? undefined : compile(filter);
}

/** Counts the nodes of the filter. Stops soon after `limit`. */
function countUpTo(limit: number, { nodes }: FilterNode): number {
  let count = 1;
  for (const node of nodes) {
    if (count >= limit) break;
    count += countUpTo(limit - count, node);
  }
  return count;
}

function compile(node: FilterNode): TagsFilter | undefined {
  if (node.op === '') return compileLeaf(node);
  const children = node.nodes.map(compile);
  if (!children.every((child) => child !== undefined)) return undefined;
  switch (node.op) {
    case 'and':
      return children.length === 0 ? undefined : (tags) => children.every((matches) => matches(tags));
    case 'or':
      return children.length === 0 ? undefined : (tags) => children.some((matches) => matches(tags));
    case 'not': {
      const [child, ...others] = children;
      return child === undefined || others.length > 0 ? undefined : (tags) => !child(tags);
    }
    default:
      return undefined;
  }
}

function compileLeaf({ key, cmp, val, vals }: FilterNode): TagsFilter | undefined {
  const test = compileTest(cmp, val, vals);
  if (test === undefined || (key === '' && cmp !== 'ex' && cmp !== 'nex')) return undefined;
  // Tags are a plain object, whose inherited properties are not tags.
  return (tags) => test(Object.hasOwn(tags, key) ? tags[key] : undefined);
}

function compileTest(cmp: string, val: string, vals: readonly string[]): Test | undefined {
  if (cmp === 'ex' || cmp === 'nex') {
    if (val !== '' || vals.length > 0) return undefined;
    return cmp === 'ex' ? (value) => value !== undefined : (value) => value === undefined;
  }
  if (cmp === 'in' || cmp === 'nin') {
    if (val !== '' || vals.length === 0) return undefined;
    const set = new Set(vals);
    // A missing tag counts as the empty string here, as in Centrifugo.
    return cmp === 'in' ? (value) => set.has(value ?? '') : (value) => !set.has(value ?? '');
  }
  return val === '' || vals.length > 0 ? undefined : compileComparison(cmp, val);
}

function compileComparison(cmp: string, val: string): Test | undefined {
  switch (cmp) {
    case 'eq':
      return (value) => value === val;
    case 'neq':
      return (value) => value !== val;
    case 'sw':
      return (value) => value !== undefined && value.startsWith(val);
    case 'ew':
      return (value) => value !== undefined && value.endsWith(val);
    case 'ct':
      return (value) => value !== undefined && value.includes(val);
    case 'lt':
      return numeric(val, (order) => order < 0);
    case 'lte':
      return numeric(val, (order) => order <= 0);
    case 'gt':
      return numeric(val, (order) => order > 0);
    case 'gte':
      return numeric(val, (order) => order >= 0);
    default:
      return undefined;
  }
}

/** Tests the order of the tag and `val`. Never matches if either is not a decimal number. */
function numeric(val: string, accepts: (order: number) => boolean): Test {
  const right = parseDecimal(val);
  if (right === undefined) return () => false;
  return (value) => {
    const left = value === undefined ? undefined : parseDecimal(value);
    return left !== undefined && accepts(compareDecimals(left, right));
  };
}

interface Decimal {
  /** Exact if the text has at most 15 digits, which doubles can distinguish. */
  readonly double: number;
  readonly exact: boolean;
  readonly text: string;
}

/** Decimal places of {@link scaled}, and the maximum length of a number. */
const PLACES = 19;
const MAX_LENGTH = 200;
const DECIMAL = /^[+-]?\d+(?:\.\d{1,19})?$/;

function parseDecimal(text: string): Decimal | undefined {
  if (text.length > MAX_LENGTH || !DECIMAL.test(text)) return undefined;
  return { double: Number(text), exact: text.length <= 15, text };
}

function compareDecimals(left: Decimal, right: Decimal): number {
  if (left.exact && right.exact) return left.double - right.double;
  const difference = scaled(left.text) - scaled(right.text);
  return difference < 0n ? -1 : Number(difference > 0n);
}

function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace(/^[+]/, '').split('.');
  const digits = BigInt(whole.replace('-', '') + fraction.padEnd(PLACES, '0'));
  return whole.startsWith('-') ? -digits : digits;
}
