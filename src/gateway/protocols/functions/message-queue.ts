/** Carries out the work for the messages of one client, one at a time and in order. */
export class MessageQueue {
  #last: Promise<void> = Promise.resolve();
  #pending = 0;

  constructor(
    private readonly limit: number,
    /** Called with true when as many messages wait as may, and with false when it is fewer again. */
    private readonly onFull: (isFull: boolean) => void,
  ) {}

  /** @param work must not reject */
  add(work: () => Promise<void>): void {
    if (++this.#pending === this.limit) this.onFull(true);
    this.#last = this.#after(this.#last, work);
  }

  /** Resolves when everything that was added so far is done. */
  idle(): Promise<void> {
    return this.#last;
  }

  async #after(last: Promise<void>, work: () => Promise<void>): Promise<void> {
    await last;
    await work();
    if (this.#pending-- === this.limit) this.onFull(false);
  }
}
