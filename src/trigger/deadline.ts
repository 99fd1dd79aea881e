import { BrokerUnavailableError } from '../bus/index.js';

/**
 * Resolves as `work` does, or rejects when that takes longer than `ms`. The work goes on then, and learns from the signal
 * that nobody waits for it any more.
 * @throws BrokerUnavailableError
 */
export async function within<Result>(
  ms: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new BrokerUnavailableError('lane', `no answer within ${ms} ms`);
    controller.abort(error);
    late.reject(error);
  }, ms);
  try {
    return await Promise.race([work(controller.signal), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
