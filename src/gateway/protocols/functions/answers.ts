import { BackendFailedError } from './functions.errors.js';

/** @throws BackendFailedError the bytes are not a JSON object */
export function objectIn(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (isObject(value)) return value;
  } catch {
    // Reported below.
  }
  throw new BackendFailedError('the answer is not a JSON object');
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
