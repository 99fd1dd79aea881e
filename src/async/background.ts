import { Logger } from '@nestjs/common';

/** Called with the name of a background task and the error that it ended with. */
export type FailureListener = (task: string, error: unknown) => void;

/** A task that keeps failing is logged once in this time, in ms. */
const LOG_INTERVAL_MS = 1_000;

const listeners = new Set<FailureListener>();
const logged = new Map<string, { at: number; suppressed: number }>();
const logger = new Logger('Background');

/**
 * Calls `work` and does not wait for it. If it throws or rejects, the failure is reported and nothing else happens: no caller
 * can handle it, and Node would end the process.
 *
 * @param task names the work in the log and in the metric: a fixed text, not one per client or channel
 */
export function inBackground(task: string, work: () => unknown): void {
  try {
    const result = work();
    if (result instanceof Promise) result.catch((error: unknown) => reportFailure(task, error));
  } catch (error) {
    reportFailure(task, error);
  }
}

/** Calls `work` every `ms`, as {@link inBackground} does. A failure does not end the repetition. */
export function every(task: string, ms: number, work: () => unknown): NodeJS.Timeout {
  return setInterval(() => inBackground(task, work), ms);
}

/** Calls `work` once after `ms`, as {@link inBackground} does. */
export function after(task: string, ms: number, work: () => unknown): NodeJS.Timeout {
  return setTimeout(() => inBackground(task, work), ms);
}

/** Calls `work` when the events of this event-loop turn are handled, as {@link inBackground} does. */
export function endOfTurn(task: string, work: () => unknown): NodeJS.Immediate {
  return setImmediate(() => inBackground(task, work));
}

/** Logs a failure that nothing else handles, at most once a second for each task, and reports it to the listeners. Never throws. */
export function reportFailure(task: string, error: unknown): void {
  try {
    for (const listener of listeners) listener(task, error);
    log(task, error);
  } catch {
    // There is nobody left to report it to.
  }
}

/** Registers a listener for every failure, for example to count them. Returns a function that removes it. */
export function onBackgroundFailure(listener: FailureListener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function log(task: string, error: unknown): void {
  const last = logged.get(task);
  const now = performance.now();
  if (last !== undefined && now - last.at < LOG_INTERVAL_MS) {
    last.suppressed++;
    return;
  }
  logged.set(task, { at: now, suppressed: 0 });
  const suppressed = last?.suppressed ?? 0;
  const more = suppressed > 0 ? ` (and ${suppressed} more of this task since its last line)` : '';
  const [reason, stack] = error instanceof Error ? [error.message, error.stack] : [String(error), undefined];
  const text = `background failure, the process continues: ${task}: ${reason}${more}`;
  if (stack === undefined) logger.error(text);
  else logger.error(text, stack);
}
