/**
 * Holds back messages that arrive while older ones are still being replayed. Passing them on at once would change the
 * order within a channel.
 */
export class ReplayBuffer {
  #held: Buffer[] | undefined;
  #bytes = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly pass: (message: Buffer) => void,
  ) {}

  /** From here on, messages are held back. */
  begin(): void {
    this.#held ??= [];
  }

  add(message: Buffer): void {
    if (this.#held === undefined) {
      this.pass(message);
      return;
    }
    this.#held.push(message);
    this.#bytes += message.length;
    // The bound on memory matters more than the order.
    if (this.#bytes > this.maxBytes) this.end();
  }

  /** Passes on the messages that were held back, and all that follow. */
  end(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#bytes = 0;
    for (const message of held) this.pass(message);
  }
}
