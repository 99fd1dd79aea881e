/**
 * Resolves to true if `work` resolves within the time, and otherwise to false. Rejects if `work` rejects within the time. Late
 * work continues: its result, or its rejection, is ignored.
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
 * Resolves or rejects as `work` does. If that takes longer than `timeoutMs`, rejects with the error that `onLate` creates. Late
 * work continues: its signal is aborted with that error, so that it can stop.
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
