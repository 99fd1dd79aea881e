import type { Fingerprint } from './fingerprint.js';

const PARTS = 4;
const LEAST_SLOTS = 256;
/** Beyond it a search takes long. */
const FULL = 0.6;

/** A set of fingerprints in one piece of memory: 27 to 53 bytes for each, and nothing for the garbage collector to look at. */
export class FingerprintSet {
  #parts: Uint32Array;
  #size = 0;

  /** @param like one that is likely to become as large, so that this one need not grow */
  constructor(like?: FingerprintSet) {
    this.#parts = new Uint32Array(like === undefined ? PARTS * LEAST_SLOTS : sizeFor(like.#size));
  }

  get size(): number {
    return this.#size;
  }

  has({ a, b, c, d }: Fingerprint): boolean {
    const at = this.#find(a, b, c, d);
    return this.#parts[at + 3] !== 0;
  }

  add({ a, b, c, d }: Fingerprint): void {
    if (this.#size >= (FULL * this.#parts.length) / PARTS) this.#grow();
    if (this.#put(a, b, c, d)) this.#size++;
  }

  #put(a: number, b: number, c: number, d: number): boolean {
    const at = this.#find(a, b, c, d);
    if (this.#parts[at + 3] !== 0) return false;
    this.#parts[at] = a;
    this.#parts[at + 1] = b;
    this.#parts[at + 2] = c;
    this.#parts[at + 3] = d;
    return true;
  }

  /** Where it is, or the empty place where it would be. The last part of one that is there is not 0. */
  #find(a: number, b: number, c: number, d: number): number {
    const parts = this.#parts;
    const end = parts.length;
    let at = (a & (end / PARTS - 1)) * PARTS; // their number is a power of two
    while (
      parts[at + 3] !== 0 &&
      (parts[at] !== a || parts[at + 1] !== b || parts[at + 2] !== c || parts[at + 3] !== d)
    ) {
      at += PARTS;
      if (at === end) at = 0;
    }
    return at;
  }

  #grow(): void {
    const old = this.#parts;
    this.#parts = new Uint32Array(2 * old.length);
    for (let at = 0; at < old.length; at += PARTS)
      if (old[at + 3] !== 0) this.#put(old[at]!, old[at + 1]!, old[at + 2]!, old[at + 3]!);
  }
}

function sizeFor(fingerprints: number): number {
  let slots = LEAST_SLOTS;
  while (fingerprints >= FULL * slots) slots *= 2;
  return PARTS * slots;
}
