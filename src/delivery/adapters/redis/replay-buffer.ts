/**
 * What arrives while something older is still missing. Handing it over at once would turn the order of a channel round.
 */
export class ReplayBuffer {
  #held: Buffer[] | undefined;
  #bytes = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly handOver: (bytes: Buffer) => void,
  ) {}

  begin(): void {
    this.#held ??= [];
  }

  take(bytes: Buffer): void {
    if (this.#held === undefined) {
      this.handOver(bytes);
      return;
    }
    this.#held.push(bytes);
    this.#bytes += bytes.length;
    // Order gives way to memory.
    if (this.#bytes > this.maxBytes) this.end();
  }

  end(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#bytes = 0;
    for (const bytes of held) this.handOver(bytes);
  }
}
