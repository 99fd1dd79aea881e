import type { IncomingHttpHeaders } from 'node:http';

/** Returns the headers with these names. `*` stands for all headers. */
export function forwarded(headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders {
  if (names.includes('*')) return headers;
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => wanted.has(name)));
}
