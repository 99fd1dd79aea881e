import { parseDuration } from './duration.js';

/**
 * Converts a value of Centrifugo to a value of ours. Variables supply text. A value that cannot be converted is returned unchanged,
 * so that the schema reports it together with all other faults.
 */
export type Convert = (value: unknown) => unknown;

/** More publications than any history holds. */
const MANY = 2 ** 31 - 1;

export const text: Convert = (value) => value;

export const flag: Convert = (value) => {
  if (typeof value !== 'string') return value;
  return { true: true, t: true, '1': true, false: false, f: false, '0': false }[value.toLowerCase()] ?? value;
};

export const negated: Convert = (value) => {
  const converted = flag(value);
  return typeof converted === 'boolean' ? !converted : converted;
};

export const number: Convert = (value) =>
  typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;

/** A number of publications. 0 means no limit. */
export const unlimited: Convert = (value) => (number(value) === 0 ? MANY : number(value));

/** A duration such as `"25s"`, in ms. */
export const duration: Convert = (value) => parseDuration(value) ?? value;

const DAY_MS = 86_400_000;

/** The time between pings. A negative one means no pings in Centrifugo. Here it means one a day. */
export const pingInterval: Convert = (value) =>
  /^-\d+(?:ns|us|µs|ms|s|m|h)?$/.test(String(value)) ? DAY_MS : duration(value);

export const list: Convert = (value) =>
  typeof value === 'string' ? value.split(/[\s,]+/).filter((item) => item !== '') : value;

/** A single value, converted to a list. */
export const single: Convert = (value) => (typeof value === 'string' ? [value] : value);

/** An address. An empty one means all interfaces in Centrifugo. */
export const address: Convert = (value) => (value === '' ? '0.0.0.0' : value);

export const logLevel: Convert = (value) => ({ fatal: 'error', none: 'silent' })[String(value)] ?? value;
