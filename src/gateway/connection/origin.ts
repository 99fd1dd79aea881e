import type { Scheme } from '../../http/index.js';
import { glob, type TextTest } from '../../patterns/index.js';

/**
 * Decides which web pages may connect: those of the listed origins, in which `*` matches any text. If the list is
 * empty, only pages of the scheme and host that they connect to may. A client that sends no origin is not a browser and may always
 * connect, because the check can protect only users of browsers.
 */
export class Origins {
  readonly #listed: ReadonlySet<string>;
  readonly #patterns: readonly TextTest[];

  constructor(allowed: readonly string[]) {
    const origins = allowed.map((origin) => origin.toLowerCase());
    this.#listed = new Set(origins.filter((origin) => !origin.includes('*')));
    this.#patterns = origins.filter((origin) => origin.includes('*')).map(pattern);
  }

  /**
   * @param host the `Host` header of the request
   * @param scheme of the URL that the client uses; undefined if it is unknown, because a proxy may terminate TLS
   */
  allow(origin: string | undefined, host: string | undefined, scheme?: Scheme): boolean {
    if (origin === undefined) return true;
    if (this.#listed.size + this.#patterns.length === 0) return isSameOrigin(origin, host, scheme);
    // Browsers send the origin in lower case.
    const text = origin.toLowerCase();
    return this.#listed.has(text) || this.#patterns.some((fits) => fits(text));
  }
}

/** Only `*` is special in an origin: brackets belong to an IPv6 address. */
function pattern(origin: string): TextTest {
  return glob(origin.replaceAll(/[[\]{}\\]/g, '\\$&'));
}

/** Compares hosts with the default port of the page's scheme. A page of http at a host of https was not sent by that host. */
function isSameOrigin(origin: string, host: string | undefined, scheme: Scheme | undefined): boolean {
  const page = URL.parse(origin);
  if (page === null || page.host === '' || host === undefined) return false;
  const isOfScheme = scheme === undefined ? SCHEMES.has(page.protocol) : page.protocol === `${scheme}:`;
  return isOfScheme && URL.parse(`${page.protocol}//${host}`)?.host === page.host;
}

const SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:']);
