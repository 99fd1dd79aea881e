const TURN_MS = 10;
/** Reading the clock costs more than a small step of the work. */
const STEPS_PER_LOOK = 16;

/** Cuts long work into turns of the event loop, so that it does not hold up all other work: after each step, `next` if `isOver`. */
export class Turns {
  #endsAt = performance.now() + TURN_MS;
  #steps = 0;

  /** Whether this turn has taken long enough. */
  get isOver(): boolean {
    return ++this.#steps % STEPS_PER_LOOK === 0 && performance.now() >= this.#endsAt;
  }

  /** Resolves in another turn. */
  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#endsAt = performance.now() + TURN_MS;
  }
}
