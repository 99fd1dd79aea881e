import { InvalidIdempotencyKeyError } from '../trigger.errors.js';

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/**
 * Returns the key as it is stored: with the scope of the caller before it.
 * @throws InvalidIdempotencyKeyError
 */
export function readIdempotencyKey(
  header: string | string[] | undefined,
  scope: string,
  maxLength: number,
): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || header.length > maxLength || !VISIBLE_ASCII.test(header))
    throw new InvalidIdempotencyKeyError(
      `Idempotency-Key must be 1 to ${maxLength} visible ASCII characters without spaces`,
    );
  return `trigger/${scope}/${header}`;
}
