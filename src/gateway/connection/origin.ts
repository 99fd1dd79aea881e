import { glob, type TextTest } from '../../patterns/index.js';

/**
 * Which pages may open a socket: those of the listed origins, in which `*` stands for any text; where none is listed, the pages of
 * the host that they connect to. A client that sends no origin is no browser, and a browser is all that this check
 * can protect.
 */
export class Origins {
  readonly #listed: ReadonlySet<string>;
  readonly #patterns: readonly TextTest[];

  constructor(allowed: readonly string[]) {
    const origins = allowed.map((origin) => origin.toLowerCase());
    this.#listed = new Set(origins.filter((origin) => !origin.includes('*')));
    this.#patterns = origins.filter((origin) => origin.includes('*')).map(pattern);
  }

  /** @param host as the client names it */
  allow(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined) return true;
    if (this.#listed.size + this.#patterns.length === 0) return isSameHost(origin, host);
    // Browsers write it in lower case.
    const text = origin.toLowerCase();
    return this.#listed.has(text) || this.#patterns.some((fits) => fits(text));
  }
}

/** Only the star is special: brackets belong to an IPv6 address. */
function pattern(origin: string): TextTest {
  return glob(origin.replaceAll(/[[\]{}\\]/g, '\\$&'));
}

/** Compares with the port that the origin's scheme implies: behind a proxy that ends TLS, our own scheme says nothing. */
function isSameHost(origin: string, host: string | undefined): boolean {
  const page = URL.parse(origin);
  if (page === null || page.host === '' || host === undefined) return false;
  return URL.parse(`${page.protocol}//${host}`)?.host === page.host;
}
