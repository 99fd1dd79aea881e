import { backoffMs, retryUntilDone } from '../../async/index.js';

const INITIAL_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;
const MAX_RUNNING = 10_000;
const GIVE_UP_AFTER_MS = 10 * 60_000;

/** Undoes pushes that were refused, when the lane that did not respond is back. Their callers do not wait for it. */
export class Withdrawals {
  readonly #running = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  /** Repeats `undo` until it succeeds, or until the copy is due. Does nothing if too many are waiting. */
  repeat(undo: () => Promise<unknown>, dueAt: number): void {
    if (this.#running.size >= MAX_RUNNING) return;
    const until = Math.min(dueAt, Date.now() + GIVE_UP_AFTER_MS);
    const attempt = async (): Promise<void> => {
      if (Date.now() < until) await undo();
    };
    const running = retryUntilDone(attempt, {
      pauseMs: (failures) => backoffMs(failures, INITIAL_PAUSE_MS, MAX_PAUSE_MS),
      onFailure: () => {},
      signal: this.#closing.signal,
    }).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running);
  }
}
