/** A random generator whose choices can be repeated with the same seed. */
export class SeededRandom {
  #state: number;

  private constructor(readonly seed: number) {
    this.#state = seed;
  }

  /** Uses the seed in `CARILLON_SEED` to repeat a run, otherwise a new one. Prints the seed, in case the run fails. */
  static fromEnvironment(purpose: string): SeededRandom {
    const given = process.env['CARILLON_SEED'];
    const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
    process.stderr.write(`${purpose}: CARILLON_SEED=${seed}\n`);
    return new SeededRandom(seed);
  }

  /** Returns a whole number from 0 to `bound` - 1. The generator is mulberry32. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  oneOf<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}
