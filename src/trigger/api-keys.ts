import { hash, timingSafeEqual } from 'node:crypto';

/** The keys that a backend may show. Several, so that one can be replaced while the old one still works. */
export class ApiKeys {
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest);
  }

  get isEmpty(): boolean {
    return this.#digests.length === 0;
  }

  /**
   * Compares with every key, each in constant time: the time taken tells neither which key nor how much of one was right.
   * @returns a name for the key that is safe to store, or undefined when it is none of them
   */
  match(presented: string): string | undefined {
    const given = digest(presented);
    let name: string | undefined;
    for (const known of this.#digests)
      if (timingSafeEqual(known, given)) name = known.subarray(0, 9).toString('base64url');
    return name;
  }
}

function digest(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}
