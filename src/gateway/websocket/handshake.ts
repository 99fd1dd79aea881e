import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { networkOf, type ClientIdentity } from '../../http/index.js';

/** An admitted handshake: what a protocol learns of its client. */
export class Handshake {
  readonly id: string;
  readonly userAgent: string;
  readonly address: string;
  /** Whom the limits by address are for. */
  readonly network: string;
  readonly query: URLSearchParams;
  /** What the client offers, in its order of preference. */
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

/** Why a handshake is turned down, and how that looks in HTTP. `code` is stable. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 429 | 503;
  readonly code: string;
  readonly message: string;
  /** Worth trying again: the answer carries a `Retry-After`. */
  readonly retryable?: true;
}

export const refusals = {
  malformed: { status: 400, code: 'bad_request', message: 'not a WebSocket handshake' },
  forbiddenOrigin: { status: 403, code: 'origin_forbidden', message: 'pages of this origin may not connect' },
  unknownPath: { status: 404, code: 'not_found', message: 'no socket is served at this path' },
  addressFull: {
    status: 429,
    code: 'too_many_connections_of_address',
    message: 'this address has too many connections',
    retryable: true,
  },
  serverFull: {
    status: 503,
    code: 'too_many_connections',
    message: 'this server has too many connections',
    retryable: true,
  },
  tooFast: {
    status: 503,
    code: 'too_many_handshakes',
    message: 'clients arrive too fast',
    retryable: true,
  },
  shuttingDown: {
    status: 503,
    code: 'shutting_down',
    message: 'this server is shutting down',
    retryable: true,
  },
  notReady: {
    status: 503,
    code: 'not_ready',
    message: 'the client could not be subscribed in time',
    retryable: true,
  },
} as const satisfies Record<string, Refusal>;

/** Answers an upgrade request with the refusal, in the form of the HTTP API's errors, and ends the connection. */
export function refuse(socket: Duplex, { status, code, message, retryable }: Refusal): void {
  const body = JSON.stringify({ error: { code, message } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    // Not the same for all, so that they do not come back together.
    ...(retryable ? [`Retry-After: ${1 + Math.floor(Math.random() * 5)}`] : []),
  ];
  // The other side may keep its half open for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
