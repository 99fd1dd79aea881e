/** Finds the entry of a key by the bytes of the key, without creating a string. */
export class KeyTable<Entry extends { readonly key: string }> {
  readonly #byLength: { readonly bytes: Buffer; readonly entry: Entry }[][] = [];
  readonly #byKey = new Map<string, Entry>();

  constructor(entries: readonly Entry[]) {
    for (const entry of entries) {
      const bytes = Buffer.from(entry.key);
      (this.#byLength[bytes.length] ??= []).push({ bytes, entry });
      this.#byKey.set(entry.key, entry);
    }
  }

  /** Returns the entry whose key is `source[start..end)`. */
  match(source: Buffer, start: number, end: number): Entry | undefined {
    const candidates = this.#byLength[end - start];
    if (candidates === undefined) return undefined;
    for (let i = 0; i < candidates.length; i++) {
      const { bytes, entry } = candidates[i]!;
      let at = 0;
      while (at < bytes.length && bytes[at] === source[start + at]) at++;
      if (at === bytes.length) return entry;
    }
    return undefined;
  }

  /** For a key that contains escapes. */
  find(key: string): Entry | undefined {
    return this.#byKey.get(key);
  }
}
