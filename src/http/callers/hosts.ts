import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { httpError, type HttpError } from '../error-responses.js';
import { isLoopback } from './loopback.js';

const HOST = /^(?:\[([\da-f:.]+)\]|([^:/?#@[\]]*))(?::\d*)?$/i;

/**
 * Decides which names a request may have in its `Host` header. A web page of a name that its owner lets point to this machine
 * (DNS rebinding) counts as a page of this server for a browser, and could use what is served to this machine only. Its requests
 * have that name in `Host`, so a server on a loopback address accepts only names that cannot be another's: `localhost`, names
 * under it, addresses, and those that are listed.
 */
export class Hosts {
  readonly #names: ReadonlySet<string>;
  readonly #suffixes: readonly string[];
  readonly #allowsAll: boolean;

  /**
   * @param allowed names; `*.example.com` stands for all names under `example.com`, and `*` for all names
   * @param listensOn the address of the server. If it is not a loopback address, an empty list allows all names.
   */
  constructor(allowed: readonly string[], listensOn: string | undefined) {
    const names = allowed.map((name) => name.toLowerCase());
    const isOpen = allowed.length === 0 && (listensOn === undefined || !isLoopback(listensOn));
    this.#allowsAll = isOpen || names.includes('*');
    this.#names = new Set(['localhost', ...names]);
    this.#suffixes = [
      '.localhost',
      ...names.filter((name) => name.startsWith('*.')).map((name) => name.slice(1)),
    ];
  }

  /** Returns the error for a request with two `Host` headers, or with one that is not allowed. */
  faultOf({ rawHeaders, headers }: IncomingMessage): HttpError | undefined {
    // `headers` has only the first one.
    if (countOf('host', rawHeaders) > 1)
      return httpError('malformed_request', 'the request has more than one Host header');
    if (this.#allowsAll || headers.host === undefined || this.#allows(headers.host)) return undefined;
    return httpError(
      'host_not_allowed',
      'this server does not serve the name in the Host header: the operator can add it to server.http.allowedHosts',
    );
  }

  #allows(header: string): boolean {
    const [, v6, text = ''] = HOST.exec(header) ?? [];
    if (v6 !== undefined) return isIP(v6) === 6;
    const name = text.toLowerCase().replace(/\.$/, '');
    return (
      isIP(name) === 4 || this.#names.has(name) || this.#suffixes.some((suffix) => name.endsWith(suffix))
    );
  }
}

function countOf(name: string, rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const each = rawHeaders[i]!;
    if (each.length === name.length && each.toLowerCase() === name) count++;
  }
  return count;
}
