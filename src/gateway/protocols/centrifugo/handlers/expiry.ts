import type { Expiry } from '../codec/replies.js';

/** Returns the expiry for the client. @param expireAt Unix time in seconds; 0 for never */
export function expiryOf(expireAt: number): Expiry {
  return expireAt === 0 ? {} : { expires: true, ttl: Math.max(0, expireAt - Math.floor(Date.now() / 1000)) };
}

/** Whether the expiry has passed. The second of the expiry counts as passed. */
export function hasExpired(expireAt: number | undefined): boolean {
  return expireAt !== undefined && expireAt !== 0 && expireAt * 1000 <= Date.now();
}
