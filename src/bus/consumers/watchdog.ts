import { inBackground } from '../../async/index.js';
interface Watched {
  readonly expiresAt: number;
  readonly onExpired: () => void;
}

/** Ends the watch over one call. */
export type Release = () => void;

/**
 * Detects calls that take too long. All calls have the same time-out, so the call that started first expires first, and one
 * timer is enough: most calls end long before the timer fires.
 */
export class Watchdog {
  /** In the order of their start. */
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly timeoutMs: number) {}

  watch(onExpired: () => void): Release {
    const watched = { expiresAt: performance.now() + this.timeoutMs, onExpired };
    this.#watched.add(watched);
    this.#timer ??= setTimeout(this.#check, this.timeoutMs);
    return () => this.#watched.delete(watched);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watched.clear();
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const watched of this.#watched) {
      const leftMs = watched.expiresAt - now;
      if (leftMs > 0) {
        this.#timer = setTimeout(this.#check, Math.ceil(leftMs));
        return;
      }
      this.#watched.delete(watched);
      inBackground('time-out of a handler', watched.onExpired);
    }
  };
}
