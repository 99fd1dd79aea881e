import type { IncomingHttpHeaders } from 'node:http';
import ipaddr from 'ipaddr.js';
import proxyAddr from 'proxy-addr';

/** Answers whether `X-Forwarded-For` is believed when this address sends it. */
export type TrustedProxies = (address: string) => boolean;

/** The part of a request that tells who sent it. Node's `IncomingMessage` fits; of a Fastify request, its `raw`. */
export interface IdentifiedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** What names a client without a login: both edges find it the same way, so that a request reaches its sender's sockets. */
export interface ClientIdentity {
  /** Empty where the header is missing. */
  readonly userAgent: string;
  readonly address: string;
}

/**
 * @param list addresses, CIDR ranges, and the words `loopback`, `linklocal` and `uniquelocal`
 * @throws TypeError when an entry is none of these
 */
export function trustedProxies(list: readonly string[]): TrustedProxies {
  const trusts = proxyAddr.compile([...list]);
  return (address) => trusts(address, 0);
}

/** Whether {@link trustedProxies} takes this entry. */
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
 * The address of the client in its canonical form: that of the socket, unless a trusted proxy holds the other end.
 * Then `X-Forwarded-For` is read from its end, where the nearest proxy wrote, up to the first address that is not a
 * trusted proxy; what stands before it is the client's own claim. Empty when the socket is already gone.
 */
export function clientAddress(request: IdentifiedRequest, trusted: TrustedProxies): string {
  let address = canonical(request.socket.remoteAddress ?? '') ?? '';
  const forwarded = request.headers['x-forwarded-for'];
  if (forwarded === undefined) return address;
  const hops = (typeof forwarded === 'string' ? forwarded : forwarded.join(',')).split(',');
  while (address !== '' && trusted(address)) {
    const hop = canonical(hops.pop() ?? '');
    // A trusted proxy that writes "unknown" or nothing leaves itself as the best that is known.
    if (hop === undefined) break;
    address = hop;
  }
  return address;
}

/** Half of an IPv6 address: what a provider gives to one customer, who may change the rest at will. */
const NETWORK_PARTS = 4;

/** Whom limits by address are for: an IPv4 address, or the /64 network of an IPv6 address. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const parts = ipaddr.IPv6.parse(address).parts.slice(0, NETWORK_PARTS);
  return `${parts.map((part) => part.toString(16)).join(':')}::/64`;
}

/**
 * One spelling for one address: IPv4 in IPv6 becomes IPv4, IPv6 is compressed, a port (some load balancers add it) goes,
 * and `::1` becomes `127.0.0.1`, since a client on this machine may reach `localhost` either way.
 */
function canonical(text: string): string | undefined {
  const [, bracketed, v4] =
    /^\s*(?:\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?)\s*$/.exec(text) ?? [];
  const bare = bracketed ?? v4 ?? text.trim();
  if (!ipaddr.isValid(bare)) return undefined;
  const address = ipaddr.process(bare).toString();
  return address === '::1' ? '127.0.0.1' : address;
}
