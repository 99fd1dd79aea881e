import { isClaimed, reportFailure } from '../async/index.js';

/** What is wrong with the program or with its memory: nothing that it does afterwards can be relied on. */
const FATAL_CODES: ReadonlySet<unknown> = new Set([
  'ERR_ASSERTION',
  'ERR_INTERNAL_ASSERTION',
  'ERR_MEMORY_ALLOCATION_FAILED',
]);
const OUT_OF_MEMORY = 'Array buffer allocation failed';

/**
 * Catches what no other code of this process catches, so that one failure, for example of a timer while file descriptors are
 * exhausted, does not end the process for everyone:
 *
 * - A rejected promise that nobody handles is logged and counted, and the process continues.
 * - An exception in a callback is treated in the same way: it ended one callback of one client or task.
 * - The process ends, through `fail`, where its state is unknown: after an exception while it starts, when an assertion of Node or
 *   of a library is violated, and when memory cannot be allocated.
 *
 * @param fail ends the process
 * @returns a function that must be called when the process has started
 */
export function catchUncaughtErrors(fail: (error: unknown) => void): () => void {
  let hasStarted = false;
  process.on('unhandledRejection', (reason) => {
    if (isClaimed(reason)) return;
    if (isFatal(reason)) fail(reason);
    else reportFailure('unhandled rejection', reason);
  });
  process.on('uncaughtException', (error: unknown) => {
    if (isClaimed(error)) return;
    if (!hasStarted || isFatal(error)) fail(error);
    else reportFailure('uncaught exception', error);
  });
  return () => {
    hasStarted = true;
  };
}

function isFatal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return FATAL_CODES.has(code) || (error instanceof RangeError && error.message === OUT_OF_MEMORY);
}
