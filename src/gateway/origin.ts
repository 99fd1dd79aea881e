/**
 * Whether a page of this origin may open a socket. Origins are compared exactly; `*` allows all; an empty list allows
 * the pages of this very host. A client that sends no origin is no browser, and a browser is all that this check
 * can protect.
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: ReadonlySet<string>,
): boolean {
  if (origin === undefined || allowed.has('*')) return true;
  return allowed.size === 0 ? isSameHost(origin, host) : allowed.has(origin);
}

/** Compares with the port that the origin's scheme implies: behind a proxy that ends TLS, our own scheme says nothing. */
function isSameHost(origin: string, host: string | undefined): boolean {
  const page = URL.parse(origin);
  if (page === null || page.host === '' || host === undefined) return false;
  return URL.parse(`${page.protocol}//${host}`)?.host === page.host;
}
