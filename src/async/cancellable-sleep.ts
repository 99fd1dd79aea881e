/**
 * Sleeps that their owner cancels together when it is closed. For one sleep at a time, `pause` with an AbortSignal is enough;
 * a signal would need a listener for each of many sleeps.
 */
export class CancellableSleep {
  readonly #sleeps = new Map<NodeJS.Timeout, (isComplete: boolean) => void>();
  #isCancelled = false;

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Resolves to true after `ms`, or to false as soon as {@link cancel} is called. */
  sleep(ms: number): Promise<boolean> {
    if (this.#isCancelled) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#sleeps.delete(timer);
        resolve(true);
      }, ms);
      this.#sleeps.set(timer, resolve);
    });
  }

  /** Ends every sleep. Later calls of {@link sleep} resolve at once. */
  cancel(): void {
    this.#isCancelled = true;
    for (const [timer, wake] of this.#sleeps) {
      clearTimeout(timer);
      wake(false);
    }
    this.#sleeps.clear();
  }
}
