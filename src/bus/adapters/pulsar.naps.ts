/** Many sleepers that can be woken together. */
export class Naps {
  readonly #sleepers = new Map<NodeJS.Timeout, (slept: boolean) => void>();
  #isEnded = false;

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** @returns whether the time was slept out; false once `end` was called */
  sleep(ms: number): Promise<boolean> {
    if (this.#isEnded) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#sleepers.delete(timer);
        resolve(true);
      }, ms);
      this.#sleepers.set(timer, resolve);
    });
  }

  end(): void {
    this.#isEnded = true;
    for (const [timer, wake] of this.#sleepers) {
      clearTimeout(timer);
      wake(false);
    }
    this.#sleepers.clear();
  }
}
