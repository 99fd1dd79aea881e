/** Whether `work` was done within the time. It goes on if not. A rejection of it passes through until then, and is ignored later. */
export async function doneWithin(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: expired, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  try {
    return await Promise.race([work.then(() => true), expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** The pause before attempt `attempt` + 1: it doubles with every attempt, up to a longest one. */
export function backoffMs(attempt: number, initialMs: number, maxMs: number): number {
  return Math.min(initialMs * 2 ** (attempt - 1), maxMs);
}
