import { hash, timingSafeEqual } from 'node:crypto';

const LENGTH_BYTES = 4;

/** The configured API keys. There can be several, so that a key can be replaced while the old one still works. */
export class ApiKeys {
  readonly #keys: readonly { readonly bytes: Buffer; readonly name: string }[];
  /** The presented key in the form that is compared: its length, then its bytes, padded to the length of the longest key. */
  readonly #presented: Buffer;

  constructor(keys: readonly string[]) {
    const longest = Math.max(0, ...keys.map((key) => Buffer.byteLength(key)));
    this.#presented = Buffer.alloc(LENGTH_BYTES + longest);
    this.#keys = keys.map((key) => ({ bytes: Buffer.from(this.#write(key)), name: nameOf(key) }));
  }

  get isEmpty(): boolean {
    return this.#keys.length === 0;
  }

  /**
   * Compares the presented key with every key, each in constant time, so that the time reveals neither which key nor how
   * much of a key was right.
   * @returns a name for the key that is safe to store, or undefined if no key matches
   */
  match(presented: string): string | undefined {
    const given = this.#write(presented);
    let found: string | undefined;
    for (const { bytes, name } of this.#keys) if (timingSafeEqual(bytes, given)) found = name;
    return found;
  }

  #write(key: string): Buffer {
    this.#presented.fill(0);
    this.#presented.writeUInt32LE(Buffer.byteLength(key));
    this.#presented.write(key, LENGTH_BYTES);
    return this.#presented;
  }
}

function nameOf(key: string): string {
  return hash('sha256', key, 'buffer').subarray(0, 9).toString('base64url');
}
