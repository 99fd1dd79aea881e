import { withDeadline } from '../async/index.js';
import { BrokerUnavailableError } from '../bus/index.js';

/**
 * Resolves or rejects as `work` does, within the time that a caller waits for an answer. Late work continues; its signal is
 * aborted.
 * @throws BrokerUnavailableError when the work takes longer than `timeoutMs`
 */
export function withinAnswerTime<Result>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const onLate = () => new BrokerUnavailableError('lane', `no answer within ${timeoutMs} ms`);
  return withDeadline(timeoutMs, onLate, work);
}
