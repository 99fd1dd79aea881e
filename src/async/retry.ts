import { pause } from './pause.js';

export interface RetryOptions {
  /** The pause before the next attempt, in ms. `attempt` is 1 after the first failure. */
  readonly pauseMs: (attempt: number) => number;
  /** Called for every failure, before the pause. */
  readonly onFailure: (error: unknown, attempt: number) => void;
  /** When it is aborted, no further attempt is made. */
  readonly signal: AbortSignal;
}

/**
 * Repeats `work` until it succeeds, with pauses between the attempts. Resolves to its result, or to undefined if the signal is
 * aborted first. Never rejects. Its timers do not keep the process alive.
 */
export async function retryUntilDone<Result>(
  work: () => Promise<Result>,
  { pauseMs, onFailure, signal }: RetryOptions,
): Promise<Result | undefined> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await work();
    } catch (error) {
      onFailure(error, attempt);
      await pause(pauseMs(attempt), signal);
    }
  }
  return undefined;
}
