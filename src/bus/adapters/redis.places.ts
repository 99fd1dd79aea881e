/** Places for the handlers of a subscription, given first come, first served, and to nobody during a pause. */
export class HandlerPlaces {
  readonly #waiting: (() => void)[] = [];
  #paused = false;

  constructor(private free: number) {}

  /** Resolves when the caller has a place, which it gives back by `leave`. */
  async enter(): Promise<void> {
    if (this.#waiting.length > 0 || !this.#hasPlace()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.free--;
    }
  }

  leave(): void {
    this.free++;
    this.#admit();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#admit();
  }

  #hasPlace(): boolean {
    return this.free > 0 && !this.#paused;
  }

  #admit(): void {
    while (this.#hasPlace()) {
      const admit = this.#waiting.shift();
      if (admit === undefined) return;
      this.free--;
      admit();
    }
  }
}
