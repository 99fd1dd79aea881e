import type { IncomingHttpHeaders } from 'node:http';
import type { ClientIdentity, IdentifiedRequest } from '../../http/index.js';
import type { ForwardedHeaders } from '../auth/forwarded-headers.js';
import type { CloseCodes } from './close-codes.js';
import type { Framing } from './framing.js';

/** The properties of a protocol that its connections use. */
export interface ConnectionProtocol {
  /** The label of its metrics. */
  readonly name: string;
  readonly closeCodes: CloseCodes;
  /** Returns the headers that its authorizers read, beside `gateway.forwardedHeaders`. */
  readonly forwardedHeaders?: (gatewayOptions: object) => readonly string[];
}

/** The protocol and parameters that the path of a handshake selects. */
export interface Endpoint {
  readonly protocol: ConnectionProtocol;
  /** The framing of the transport that will carry the connection. */
  readonly framing: Framing;
  /** The parameters of the path, such as `{ room: 'a' }` for `/t/a` at `/t/:room`. */
  readonly params: Readonly<Record<string, string>>;
}

/** The client that asks for a connection. */
export interface HandshakeClient extends ClientIdentity {
  /** Whether the identity may be that of several clients, behind a proxy that is not trusted. */
  readonly isHidden: boolean;
  /** The key for limits by address: the address, or the /64 network of an IPv6 address. */
  readonly network: string;
  /** The headers of the handshake that authorizers receive. */
  readonly forwardedHeaders: ForwardedHeaders;
}

/** The request with which a client asks for a connection. Node's `IncomingMessage` fits. */
export interface HandshakeRequest extends IdentifiedRequest {
  readonly url?: string | undefined;
}

/** An admitted handshake, from which a protocol learns about its client. A connection must not keep it. */
export class Handshake {
  readonly id: string;
  readonly userAgent: string;
  readonly address: string;
  /** Whether User-Agent and address may be those of several clients, behind a proxy that is not trusted. */
  readonly isHidden: boolean;
  readonly network: string;
  readonly protocol: ConnectionProtocol;
  readonly framing: Framing;
  /** The parameters of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The headers that authorizers receive. They may live as long as the connection. */
  readonly forwardedHeaders: ForwardedHeaders;

  constructor(id: string, client: HandshakeClient, request: HandshakeRequest, endpoint: Endpoint) {
    const { url = '', headers } = request;
    this.id = id;
    this.userAgent = client.userAgent;
    this.address = client.address;
    this.isHidden = client.isHidden;
    this.network = client.network;
    this.forwardedHeaders = client.forwardedHeaders;
    this.protocol = endpoint.protocol;
    this.framing = endpoint.framing;
    this.params = endpoint.params;
    const queryAt = url.indexOf('?');
    this.path = queryAt < 0 ? url : url.slice(0, queryAt);
    this.query = new URLSearchParams(queryAt < 0 ? '' : url.slice(queryAt + 1));
    this.headers = headers;
  }

  /** The WebSocket subprotocols that the client offers, in its order of preference. */
  get subprotocols(): readonly string[] {
    return this.headers['sec-websocket-protocol']?.split(',').map((each) => each.trim()) ?? [];
  }
}
