/**
 * Resolves to true when `work` is done within the time, and to false otherwise. Rejects when `work` rejects in time. Work that is
 * late continues; its result, and a later rejection, are ignored.
 */
export async function settlesWithin(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Resolves or rejects as `work` does, or rejects with the error that `onLate` makes when that takes longer than `timeoutMs`. Late
 * work continues; its signal is aborted with that error, so that it can learn that nobody waits for its result.
 */
export async function withDeadline<Result>(
  timeoutMs: number,
  onLate: () => Error,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = onLate();
    controller.abort(error);
    late.reject(error);
  }, timeoutMs);
  try {
    return await Promise.race([work(controller.signal), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
