const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

/** Scheme, user information, host, port, path with query, fragment. */
const PARTS = /^(https?:\/\/)([^/?#@\\]*@)?([^/?#@:\\]*|\[[^\]]*\])(:[^/?#@\\]*)?([/?][^#\\]*)?(#.*)?$/i;

const HOST = /^[a-z\d_-]+(?:\.[a-z\d_-]+)*$/i;

/** One label of a host name (RFC 1123), without dots. */
const LABEL = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i;

/** A part of a path or query that would be read as several parts, or as a step up, however it is encoded. */
const UNSAFE = /[\p{Cc}/\\]|^\.+$/u;

const MAX_VALUE_LENGTH = 255;

/** The names of the placeholders (`{{name}}`) of an address. */
export function placeholdersOf(endpoint: string): readonly string[] {
  return [...endpoint.matchAll(PLACEHOLDER)].map(([, name]) => name!);
}

/** The names of the placeholders in the host: their values decide which server is asked. */
export function hostPlaceholdersOf(endpoint: string): readonly string[] {
  return placeholdersOf(PARTS.exec(endpoint)?.[3] ?? '');
}

/** Returns what is wrong with the address of a key set, which may have placeholders in its host, path and query. */
export function faultOfEndpoint(endpoint: string): string | undefined {
  const [, , user = '', host = '', port = '', , fragment = ''] = PARTS.exec(endpoint) ?? [];
  const sample = endpoint.replaceAll(PLACEHOLDER, 'x');
  if (!/^https?:\/\//i.test(sample) || !URL.canParse(sample)) return 'is not an http or https URL';
  if (placeholdersOf(endpoint).length === 0)
    return /\{\{|\}\}/.test(endpoint) ? 'has braces that are no placeholder: write {{name}}' : undefined;
  if (/\{\{|\}\}/.test(sample)) return 'has braces that are no placeholder: write {{name}}';
  if (/[{}]/.test(user + port + fragment) || host === '')
    return 'may have placeholders only in its host, path and query';
  if (host.includes('{{') && !HOST.test(host.replaceAll(PLACEHOLDER, 'x')))
    return 'has a host with a placeholder that is not a host name';
  return undefined;
}

/**
 * Whether the values of a group can only be those that the expression lists, as in `(?P<tenant>one|two)`. Whoever sends a token
 * chooses the value, before any signature was verified.
 */
export function isListOfValues(regex: string, group: string): boolean {
  const [opening, ...more] = [...regex.matchAll(/\(\?P?<([^>]*)>/g)].filter(([, name]) => name === group);
  if (opening === undefined || more.length > 0) return false;
  const body = regex.slice(opening.index + opening[0].length);
  return /^(?:\w|-|\\-)+(?:\|(?:\w|-|\\-)+)*\)/.test(body);
}

/** An address with placeholders. A value is put in encoded, so that it cannot change any other part of the address. */
export class EndpointTemplate {
  readonly #parts: readonly { readonly name: string; readonly isHost: boolean; readonly after: string }[];
  readonly #before: string;

  /** @param endpoint must have no {@link faultOfEndpoint} */
  constructor(endpoint: string) {
    const [before, ...rest] = endpoint.split(PLACEHOLDER);
    this.#before = before!;
    const inHost = hostPlaceholdersOf(endpoint).length;
    this.#parts = Array.from({ length: rest.length / 2 }, (_, index) => ({
      name: rest[2 * index]!,
      isHost: index < inHost,
      after: rest[2 * index + 1]!,
    }));
  }

  /** Returns the address, or undefined if a value is missing or cannot be put in safely. */
  addressWith(values: ReadonlyMap<string, string>): string | undefined {
    let url = this.#before;
    for (const { name, isHost, after } of this.#parts) {
      const value = encoded(values.get(name) ?? '', isHost);
      if (value === undefined) return undefined;
      url += value + after;
    }
    return url;
  }
}

function encoded(value: string, isHost: boolean): string | undefined {
  if (value === '' || value.length > MAX_VALUE_LENGTH || !value.isWellFormed()) return undefined;
  if (isHost) return LABEL.test(value) ? value.toLowerCase() : undefined;
  return UNSAFE.test(value) ? undefined : encodeURIComponent(value);
}
