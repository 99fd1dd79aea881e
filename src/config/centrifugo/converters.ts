import { parseDuration } from './duration.js';

/**
 * Turns a value as Centrifugo has it into ours. Text is what a variable holds. What does not fit is handed back as it is, so
 * that the schema reports it together with every other fault.
 */
export type Convert = (value: unknown) => unknown;

/** More than any history holds. */
const MANY = 2 ** 31 - 1;

export const text: Convert = (value) => value;

export const flag: Convert = (value) => {
  if (typeof value !== 'string') return value;
  return { true: true, '1': true, false: false, '0': false }[value.toLowerCase()] ?? value;
};

export const negated: Convert = (value) => {
  const converted = flag(value);
  return typeof converted === 'boolean' ? !converted : converted;
};

export const number: Convert = (value) =>
  typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;

/** A number of publications, of which 0 stands for any. */
export const unlimited: Convert = (value) => (number(value) === 0 ? MANY : number(value));

/** `"25s"` in ms. */
export const duration: Convert = (value) => parseDuration(value) ?? value;

export const list: Convert = (value) =>
  typeof value === 'string' ? value.split(/[\s,]+/).filter((item) => item !== '') : value;

/** A value that stands for itself in a list of one. */
export const single: Convert = (value) => (typeof value === 'string' ? [value] : value);

/** Centrifugo's empty address means every interface. */
export const address: Convert = (value) => (value === '' ? '0.0.0.0' : value);

export const logLevel: Convert = (value) => ({ fatal: 'error', none: 'silent' })[String(value)] ?? value;

export const json: Convert = (value) => {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
};
