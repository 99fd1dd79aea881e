import type { Fingerprint } from './fingerprint.js';

const PARTS = 4;
const MIN_SLOTS = 256;
/** Searching takes long above this share. */
const MAX_LOAD = 0.6;

/** A set of fingerprints in one typed array: 27 to 53 bytes for each, and no work for the garbage collector. */
export class FingerprintSet {
  #parts: Uint32Array;
  #size = 0;

  /** @param like a set that is likely to become as large, so that this one need not grow */
  constructor(like?: FingerprintSet) {
    this.#parts = new Uint32Array(like === undefined ? PARTS * MIN_SLOTS : sizeFor(like.#size));
  }

  get size(): number {
    return this.#size;
  }

  has({ a, b, c, d }: Fingerprint): boolean {
    const at = this.#find(a, b, c, d);
    return this.#parts[at + 3] !== 0;
  }

  add({ a, b, c, d }: Fingerprint): void {
    if (this.#size >= (MAX_LOAD * this.#parts.length) / PARTS) this.#grow();
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

  /** Returns the position of a fingerprint, or the empty slot for it. A slot is empty if its last part is 0. */
  #find(a: number, b: number, c: number, d: number): number {
    const parts = this.#parts;
    const end = parts.length;
    let at = (a & (end / PARTS - 1)) * PARTS; // the number of slots is a power of two
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
  let slots = MIN_SLOTS;
  while (fingerprints >= MAX_LOAD * slots) slots *= 2;
  return PARTS * slots;
}
