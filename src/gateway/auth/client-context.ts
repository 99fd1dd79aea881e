import type { ClientContext } from './attempts.js';
import type { ForwardedHeaders } from './forwarded-headers.js';

const NONE = Object.freeze({});

/** The part of a handshake that describes its client. */
export interface DescribedHandshake {
  readonly id: string;
  readonly address: string;
  readonly userAgent: string;
  readonly forwardedHeaders: ForwardedHeaders;
  readonly query: URLSearchParams;
  readonly params: Readonly<Record<string, string>>;
  readonly protocol: { readonly name: string };
  readonly framing: { readonly transport: string };
}

export function fullContext(handshake: DescribedHandshake, encoding: string): ClientContext {
  const { userAgent, forwardedHeaders: headers, query, params } = handshake;
  return { ...minimalContext(handshake, encoding), userAgent, headers, query: query.toString(), params };
}

/** Leaves out the values that may be long, for a connection whose authorizers do not read them. */
export function minimalContext(
  { id, address, protocol, framing }: DescribedHandshake,
  encoding: string,
): ClientContext {
  return {
    connectionId: id,
    protocol: protocol.name,
    encoding,
    transport: framing.transport,
    address,
    userAgent: '',
    headers: NONE,
    query: '',
    params: NONE,
  };
}
