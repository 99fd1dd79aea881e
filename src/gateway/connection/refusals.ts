import { CarillonError } from '../../errors.js';

/** The reason why a handshake is refused, and the HTTP response for it. */
export interface Refusal {
  /** HTTP status, 400 to 599. */
  readonly status: number;
  /** Stable. The response contains it, and the metrics count refusals by it, so it comes from a small fixed set. */
  readonly code: string;
  /** Sent to the client. */
  readonly message: string;
  /** Whether the client should try again: the response then has `Retry-After`. */
  readonly retryable?: boolean;
  /** Further headers of the response. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The refusals of the gateway itself. A protocol adds its own with {@link HandshakeRefusedError}. */
export const refusals = {
  malformed: { status: 400, code: 'bad_request', message: 'not a WebSocket handshake' },
  forbiddenOrigin: { status: 403, code: 'origin_forbidden', message: 'pages of this origin may not connect' },
  untrustedProxy: {
    status: 403,
    code: 'untrusted_proxy',
    message:
      'the request came through a proxy that the server does not trust: the operator has to list it in server.trustedProxies',
  },
  unknownPath: { status: 404, code: 'not_found', message: 'no socket is served at this path' },
  addressFull: {
    status: 429,
    code: 'too_many_connections_of_address',
    message: 'this address has too many connections',
    retryable: true,
  },
  addressTooFast: {
    status: 429,
    code: 'too_many_handshakes_of_address',
    message: 'too many clients of this address are connecting at once',
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
    message: 'too many clients are connecting at once',
    retryable: true,
  },
  headersTooLarge: {
    status: 431,
    code: 'headers_too_large',
    message: 'the headers that are forwarded are too large',
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

/**
 * Thrown by a protocol to refuse a handshake, in `connect` or as the rejection of `Connection.join`. The client receives
 * its status, code and message. For any other error it receives 503, and the error is logged, because it is not the client's fault.
 */
export class HandshakeRefusedError extends CarillonError {
  readonly code = 'handshake_refused';

  constructor(readonly refusal: Refusal) {
    super(refusal.message);
  }
}
