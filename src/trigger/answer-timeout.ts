import { withDeadline } from '../async/index.js';
import { BrokerUnavailableError } from '../bus/index.js';

/**
 * Settles as `work` does, but within the time that a caller waits for a response. Work that takes longer continues in the
 * background, and its signal is aborted.
 * @throws BrokerUnavailableError if the work takes longer than `timeoutMs`
 */
export function withinAnswerTimeout<Result>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const onLate = () => new BrokerUnavailableError('lane', `no answer within ${timeoutMs} ms`);
  return withDeadline(timeoutMs, onLate, work);
}
