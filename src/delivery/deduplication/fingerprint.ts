import { getRandomValues } from 'node:crypto';

const [seedA = 0, seedB = 0, seedC = 0, seedD = 0] = getRandomValues(new Uint32Array(4));
/** Separates the two texts. No character has this code. */
const SEPARATOR = 0x110000;

/**
 * A hash of two texts with 128 bits. It is seeded at random for each process, so that nobody can choose texts with the
 * same hash. The probability that any two of a million pairs have the same hash by chance is about 10^-26.
 *
 * It is overwritten for each message instead of allocated: four parts of 32 bits, the last of which is never 0.
 */
export class Fingerprint {
  a = 0;
  b = 0;
  c = 0;
  d = 0;

  of(one: string, other: string): this {
    this.a = seedA;
    this.b = seedB;
    this.c = seedC;
    this.d = seedD;
    this.#mix(one);
    this.#step(SEPARATOR);
    this.#mix(other);
    this.#finish();
    return this;
  }

  #mix(text: string): void {
    for (let index = 0; index < text.length; index++) this.#step(text.charCodeAt(index));
  }

  /** The step of cyrb128, a public-domain hash of strings. */
  #step(code: number): void {
    this.a = this.b ^ Math.imul(this.a ^ code, 597_399_067);
    this.b = this.c ^ Math.imul(this.b ^ code, 2_869_860_233);
    this.c = this.d ^ Math.imul(this.c ^ code, 951_274_213);
    this.d = this.a ^ Math.imul(this.d ^ code, 2_716_044_179);
  }

  #finish(): void {
    const a = Math.imul(this.c ^ (this.a >>> 18), 597_399_067);
    const b = Math.imul(this.d ^ (this.b >>> 22), 2_869_860_233);
    const c = Math.imul(a ^ (this.c >>> 17), 951_274_213);
    const d = Math.imul(b ^ (this.d >>> 19), 2_716_044_179);
    this.a = (a ^ b ^ c ^ d) >>> 0;
    this.b = (b ^ this.a) >>> 0;
    this.c = (c ^ this.a) >>> 0;
    this.d = (d ^ this.a) >>> 0 || 1;
  }
}
