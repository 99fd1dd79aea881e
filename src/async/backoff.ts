/** Returns the pause in ms after the failed attempt number `attempt`. It doubles with every attempt, up to `maxMs`. */
export function backoffMs(attempt: number, initialMs: number, maxMs: number): number {
  return Math.min(initialMs * 2 ** (attempt - 1), maxMs);
}

/**
 * Shortens a pause by a random part of it, so that replicas that failed together do not retry together.
 *
 * @param share the largest part, from 0 to 1
 */
export function jittered(pauseMs: number, share: number, random: () => number = Math.random): number {
  return pauseMs * (1 - share * random());
}
