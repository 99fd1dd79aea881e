export {
  after,
  endOfTurn,
  every,
  type FailureListener,
  inBackground,
  onBackgroundFailure,
  reportFailure,
} from './background.js';
export { backoffMs, jittered } from './backoff.js';
export { CancellableSleep } from './cancellable-sleep.js';
export { settlesWithin, withDeadline } from './deadline.js';
export { KeyedQueue } from './keyed-queue.js';
export { pause } from './pause.js';
export { retryUntilDone, type RetryOptions } from './retry.js';
export { Semaphore, SemaphoreClosedError } from './semaphore.js';
export { Turns } from './turns.js';
export { claimUncaughtErrors, type ErrorClaim, isClaimed } from './uncaught-errors.js';
export { checkTimers } from './timer-bounds.js';
