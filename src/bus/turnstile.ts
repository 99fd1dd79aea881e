/** A reason to be shut: whoever is in charge asked for it. */
export const PAUSED = 'paused';

/** Lets at most so many work at a time, first come, first served, and none while it is held shut for some reason. */
export class Turnstile {
  readonly #reasons = new Set<string>();
  readonly #waiting: ((admitted: boolean) => void)[] = [];
  readonly #emptied: (() => void)[] = [];
  #inside = 0;
  #closed = false;

  constructor(private readonly places: number) {}

  get isEmpty(): boolean {
    return this.#inside === 0;
  }

  /** Resolves to true when there is a place, which `leave` gives back; to false when there will be none any more. */
  async enter(): Promise<boolean> {
    if (this.#closed) return false;
    if (this.#waiting.length === 0 && this.#hasPlace()) {
      this.#inside++;
      return true;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    this.#inside--;
    if (this.#inside === 0 && this.#emptied.length > 0)
      for (const resolve of this.#emptied.splice(0)) resolve();
    if (this.#waiting.length > 0) this.#admit();
  }

  /** Admits nobody until every reason is gone. Who is inside stays. */
  shut(reason: string): void {
    this.#reasons.add(reason);
  }

  open(reason: string): void {
    this.#reasons.delete(reason);
    this.#admit();
  }

  close(): void {
    this.#closed = true;
    for (const resolve of this.#waiting.splice(0)) resolve(false);
  }

  async emptied(): Promise<void> {
    if (!this.isEmpty) await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  #hasPlace(): boolean {
    return this.#inside < this.places && this.#reasons.size === 0;
  }

  #admit(): void {
    while (this.#hasPlace()) {
      const resolve = this.#waiting.shift();
      if (resolve === undefined) return;
      this.#inside++;
      resolve(true);
    }
  }
}
