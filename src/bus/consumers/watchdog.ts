interface Watched {
  readonly expiresAt: number;
  readonly onExpired: () => void;
}

/** Ends the watch over one call. */
export type Release = () => void;

/**
 * Tells when calls take too long. All of them may take the same time, so the first that began is the first that expires, and
 * one timer serves for all: most calls end long before it is looked at.
 */
export class Watchdog {
  /** In the order of their beginning. */
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly timeoutMs: number) {}

  watch(onExpired: () => void): Release {
    const watched = { expiresAt: performance.now() + this.timeoutMs, onExpired };
    this.#watched.add(watched);
    this.#timer ??= setTimeout(this.#look, this.timeoutMs);
    return () => this.#watched.delete(watched);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watched.clear();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const watched of this.#watched) {
      const leftMs = watched.expiresAt - now;
      if (leftMs > 0) {
        this.#timer = setTimeout(this.#look, Math.ceil(leftMs));
        return;
      }
      this.#watched.delete(watched);
      watched.onExpired();
    }
  };
}
