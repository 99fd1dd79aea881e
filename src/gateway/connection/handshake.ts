import type { IncomingMessage } from 'node:http';
import { networkOf, type ClientIdentity } from '../../http/index.js';

/** An admitted handshake: what a protocol learns about its client. */
export class Handshake {
  readonly id: string;
  readonly userAgent: string;
  readonly address: string;
  /** The key for limits by address: the address, or the /64 network of an IPv6 address. */
  readonly network: string;
  readonly query: URLSearchParams;
  /** The subprotocols that the client offers, in its order of preference. */
  readonly subprotocols: readonly string[];

  constructor(id: string, { userAgent, address }: ClientIdentity, { url = '', headers }: IncomingMessage) {
    this.id = id;
    this.userAgent = userAgent;
    this.address = address;
    this.network = networkOf(address);
    this.query = new URLSearchParams(url.slice(url.indexOf('?') + 1 || url.length));
    this.subprotocols = headers['sec-websocket-protocol']?.split(',').map((each) => each.trim()) ?? [];
  }
}
