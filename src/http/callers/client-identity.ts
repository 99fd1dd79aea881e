import type { IncomingHttpHeaders } from 'node:http';
import ipaddr from 'ipaddr.js';
import proxyAddr from 'proxy-addr';

/** Returns whether `X-Forwarded-For` is trusted if this address sends it. */
export type TrustedProxies = (address: string) => boolean;

/** The part of a request that identifies its sender: Node's `IncomingMessage`, or `raw` of a Fastify request. */
export interface IdentifiedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean };
}

/**
 * Identifies a client without a login. Both edges determine it in the same way, so that a request reaches the sockets of
 * its sender.
 */
export interface ClientIdentity {
  /** Empty if the header is missing. */
  readonly userAgent: string;
  readonly address: string;
}

/**
 * @param list addresses, CIDR ranges, and the words `loopback`, `linklocal` and `uniquelocal`
 * @throws TypeError if an entry is anything else
 */
export function trustedProxies(list: readonly string[]): TrustedProxies {
  const trusts = proxyAddr.compile([...list]);
  return (address) => trusts(address, 0);
}

/** Returns whether {@link trustedProxies} accepts this entry. */
export function isProxyRange(entry: string): boolean {
  try {
    trustedProxies([entry]);
    return true;
  } catch {
    return false;
  }
}

export function clientIdentity(request: IdentifiedRequest, trusted: TrustedProxies): ClientIdentity {
  return { userAgent: request.headers['user-agent'] ?? '', address: clientAddress(request, trusted) };
}

/**
 * Returns the address of the client in its canonical form: that of the socket, unless the other end is a trusted proxy.
 * Then `X-Forwarded-For` is read from its end, where the nearest proxy wrote, up to the first address that is not a
 * trusted proxy. Entries before that are only claimed by the client. Returns '' if the socket is already closed.
 */
export function clientAddress(request: IdentifiedRequest, trusted: TrustedProxies): string {
  let address = canonical(request.socket.remoteAddress ?? '') ?? '';
  const forwarded = request.headers['x-forwarded-for'];
  if (forwarded === undefined) return address;
  const hops = (typeof forwarded === 'string' ? forwarded : forwarded.join(',')).split(',');
  while (address !== '' && trusted(address)) {
    const hop = canonical(hops.pop() ?? '');
    // If a trusted proxy writes "unknown" or nothing, its own address is the best that is known.
    if (hop === undefined) break;
    address = hop;
  }
  return address;
}

/**
 * Returns whether a proxy seems to have forwarded the request, but the address of its client is unknown: the proxy is not trusted,
 * or it sends only `Forwarded`, which is not read.
 */
export function isForwardedByStranger(
  { headers, socket }: IdentifiedRequest,
  trusted: TrustedProxies,
): boolean {
  if (headers['x-forwarded-for'] === undefined && headers.forwarded === undefined) return false;
  const isTrusted = trusted(canonical(socket.remoteAddress ?? '') ?? '');
  return !isTrusted || headers['x-forwarded-for'] === undefined;
}

/** The scheme of the URL that a client uses. */
export type Scheme = 'http' | 'https';

/** Some proxies name the scheme of a WebSocket. */
const schemes: Readonly<Record<string, Scheme>> = { http: 'http', ws: 'http', https: 'https', wss: 'https' };

/**
 * Returns the scheme of the URL that the client uses: `https` over TLS, otherwise what a trusted proxy says in `X-Forwarded-Proto`.
 * Returns undefined if neither is the case: a proxy in front may terminate TLS.
 */
export function clientScheme(
  { headers, socket }: IdentifiedRequest,
  trusted: TrustedProxies,
): Scheme | undefined {
  if (socket.encrypted === true) return 'https';
  const given = headers['x-forwarded-proto'];
  if (given === undefined || !trusted(canonical(socket.remoteAddress ?? '') ?? '')) return undefined;
  // The first of several proxies is the one that the client connected to.
  const [first = ''] = String(given).split(',', 1);
  return schemes[first.trim().toLowerCase()];
}

/** Half of an IPv6 address, which a provider assigns to one customer. The customer chooses the rest. */
const NETWORK_PARTS = 4;

/** Returns what limits by address count: an IPv4 address, or the /64 network of an IPv6 address. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const parts = ipaddr.IPv6.parse(address).parts.slice(0, NETWORK_PARTS);
  return `${parts.map((part) => part.toString(16)).join(':')}::/64`;
}

/**
 * Returns the one spelling of an address: IPv4 in IPv6 becomes IPv4, IPv6 is compressed, a port (some load balancers add
 * it) is removed, and `::1` becomes `127.0.0.1`, because a client on this machine may reach `localhost` either way.
 */
function canonical(text: string): string | undefined {
  const [, bracketed, v4] =
    /^\s*(?:\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?)\s*$/.exec(text) ?? [];
  const bare = bracketed ?? v4 ?? text.trim();
  if (!ipaddr.isValid(bare)) return undefined;
  const address = ipaddr.process(bare).toString();
  return address === '::1' ? '127.0.0.1' : address;
}
