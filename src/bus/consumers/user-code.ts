import { AsyncLocalStorage } from 'node:async_hooks';

/** One call of a handler, or what it left behind: timers, event emitters and promises that nobody awaits. */
export interface UserCode {
  /** Takes an error that the code threw outside the call of the handler, where no caller can catch it. */
  failed(error: unknown): void;
}

const running = new AsyncLocalStorage<UserCode | undefined>();

/** Calls `work` as code of the user: until the end of everything that it starts, {@link takeUncaughtError} finds it. */
export function asUserCode<T>(code: UserCode, work: () => T): T {
  return running.run(code, work);
}

/** Calls `work`, which is Carillon's own code and not the user's, although the user's code called it. */
export function asOwnCode<T>(work: () => T): T {
  return running.run(undefined, work);
}

/**
 * Hands an uncaught exception or an unhandled rejection to the consumer whose code caused it. Call it in the listener of the
 * process, where Node keeps the context in which the error was thrown.
 *
 * @returns whether it came from the code of a consumer
 */
export function takeUncaughtError(error: unknown): boolean {
  const code = running.getStore();
  // The memory of the process does not belong to one consumer.
  if (code === undefined || isOutOfMemory(error)) return false;
  code.failed(error);
  return true;
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('allocation failed');
}
