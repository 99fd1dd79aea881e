/** The pause in ms before attempt `attempt` + 1: it doubles with every attempt, up to `maxMs`. */
export function backoffMs(attempt: number, initialMs: number, maxMs: number): number {
  return Math.min(initialMs * 2 ** (attempt - 1), maxMs);
}

/** Spreads a pause over its upper part, so that replicas that failed together do not retry together. `share` is the part that varies. */
export function jittered(pauseMs: number, share: number): number {
  return pauseMs * (1 - share * Math.random());
}
