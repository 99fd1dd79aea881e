/** One call of `publish`. Its records may go to several partitions. */
export class PublishCall {
  readonly #settled = Promise.withResolvers<void>();
  #isSettled = false;

  constructor(
    /** Number of records that are not sent yet. */
    private unsent: number,
    private readonly onSettled: () => void,
  ) {}

  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Reports that one of the records was sent. */
  sent(): void {
    if (--this.unsent === 0) this.#settle();
  }

  failed(error: Error): void {
    this.#settle(error);
  }

  #settle(error?: Error): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.onSettled();
    if (error === undefined) this.#settled.resolve();
    else this.#settled.reject(error);
  }
}
