/** Timers that are cancelled together: every sleeper wakes up when the owner is closed. */
export class CancellableSleep {
  readonly #sleepers = new Map<NodeJS.Timeout, (sleptToEnd: boolean) => void>();
  #isCancelled = false;

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** @returns whether the full time has passed; false when {@link cancel} was called before or during it */
  sleep(ms: number): Promise<boolean> {
    if (this.#isCancelled) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#sleepers.delete(timer);
        resolve(true);
      }, ms);
      this.#sleepers.set(timer, resolve);
    });
  }

  /** Wakes every sleeper. Later calls of {@link sleep} return at once. */
  cancel(): void {
    this.#isCancelled = true;
    for (const [timer, wake] of this.#sleepers) {
      clearTimeout(timer);
      wake(false);
    }
    this.#sleepers.clear();
  }
}
