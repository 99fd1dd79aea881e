import type { IncomingHttpHeaders } from 'node:http';

/** By name in lower case. */
export type ForwardedHeaders = Readonly<Record<string, string>>;

const NONE: ForwardedHeaders = Object.freeze({});

/** Copies the headers that are forwarded to authorizers from a handshake. */
export class HeaderForwarding {
  readonly #names: readonly string[];

  /**
   * @param names compared without regard to case
   * @param maxBytes how long the names and values of one handshake may be together
   */
  constructor(
    names: readonly string[],
    private readonly maxBytes: number,
  ) {
    this.#names = [...new Set(names.map((name) => name.toLowerCase()))];
  }

  /** Returns the headers by name in lower case, or undefined if they are longer than allowed. */
  of(headers: IncomingHttpHeaders): ForwardedHeaders | undefined {
    if (this.#names.length === 0) return NONE;
    const found: [string, string][] = [];
    let bytes = 0;
    for (const name of this.#names) {
      const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
      if (value === undefined) continue;
      const text = typeof value === 'string' ? value : value.join(', ');
      // Node reads headers as Latin-1: one byte per character.
      bytes += name.length + text.length;
      found.push([name, text]);
    }
    return bytes > this.maxBytes ? undefined : Object.fromEntries(found);
  }
}
