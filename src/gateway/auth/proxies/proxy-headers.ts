import type { ClientContext } from '../attempts.js';
import type { ProxyOptions } from './proxies.options.js';

/** Headers that belong to one connection or one body, so that those of a client must not be sent with another request. */
const NEVER_FORWARDED: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

type Headers = Record<string, string>;

/** Selects the headers of the requests of one proxy. */
export class ProxyHeaders {
  readonly #fromHandshake: readonly string[];
  readonly #emulated: readonly string[];
  readonly #fixed: Readonly<Headers>;

  constructor({ httpHeaders, emulatedHeaders, staticHeaders }: ProxyOptions) {
    const fixed = Object.entries(staticHeaders).map(([name, value]) => [name.toLowerCase(), value] as const);
    this.#fixed = { ...Object.fromEntries(fixed), 'content-type': 'application/json' };
    this.#fromHandshake = forwardable(httpHeaders);
    this.#emulated = forwardable(emulatedHeaders);
  }

  of({ headers, emulatedHeaders }: ClientContext): Readonly<Headers> {
    if (this.#fromHandshake.length === 0 && this.#emulated.length === 0) return this.#fixed;
    const selected: Headers = {};
    if (emulatedHeaders !== undefined) select(this.#emulated, emulatedHeaders, selected);
    select(this.#fromHandshake, headers, selected);
    return Object.assign(selected, this.#fixed);
  }
}

function forwardable(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))].filter((name) => !NEVER_FORWARDED.has(name));
}

function select(names: readonly string[], from: Readonly<Headers>, to: Headers): void {
  for (const name of names) if (Object.hasOwn(from, name)) to[name] = from[name]!;
}
