/** Random choices that a seed repeats. */
export class Dice {
  #state: number;

  private constructor(readonly seed: number) {
    this.#state = seed;
  }

  /** Of the seed in `CARILLON_SEED`, to repeat a run, or else of a new one. It is printed, for a run that fails. */
  static roll(purpose: string): Dice {
    const given = process.env['CARILLON_SEED'];
    const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
    process.stderr.write(`${purpose}: CARILLON_SEED=${seed}\n`);
    return new Dice(seed);
  }

  /** A whole number from 0 to below the bound. The generator is mulberry32. */
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
