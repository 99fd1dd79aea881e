/** What is slowed down. */
export interface Gate {
  pause(): void;
  resume(): void;
}

/** Lets so many batches be taken in each interval, and pauses the subscription for the rest of it. */
export class Throttle {
  #gate: Gate | undefined;
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly everyMs: number,
    private readonly batches: number,
  ) {}

  /** The first batch may come before the subscription is known. */
  govern(gate: Gate): void {
    this.#gate = gate;
    if (this.#taken >= this.batches) gate.pause();
  }

  taken(): void {
    if (this.everyMs === 0) return;
    this.#taken++;
    if (this.#taken === this.batches) this.#gate?.pause();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const wasShut = this.#taken >= this.batches;
      this.#taken = 0;
      if (wasShut) this.#gate?.resume();
    }, this.everyMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#gate = undefined;
  }
}
