import { HandshakeRefusedError, type Refusal as HandshakeRefusal } from '../connection/refusals.js';
import type { ClientContext } from './attempts.js';
import type { Authorizer } from './authorizer.port.js';
import type { Awaitable, ConnectAllowed, ConnectDecision, RefusalCause } from './decisions.js';

/**
 * Asks about a client of a protocol that knows all about it from its handshake, so that a refusal is an HTTP response.
 * @throws HandshakeRefusedError, also as a rejection
 */
export function authorizeHandshake(
  authorizer: Required<Authorizer>,
  client: ClientContext,
): Awaitable<ConnectAllowed> {
  const asked = authorizer.connect({
    client,
    token: '',
    data: undefined,
    name: '',
    version: '',
    channels: NO_CHANNELS,
  });
  return 'outcome' in asked ? allowance(asked) : asked.then(allowance);
}

const NO_CHANNELS: readonly string[] = [];

function allowance(decision: ConnectDecision): ConnectAllowed {
  if (decision.outcome === 'allowed') return decision;
  throw new HandshakeRefusedError(handshakeRefusal(decision));
}

const byCause: Record<RefusalCause, HandshakeRefusal> = {
  noCredentials: { status: 401, code: 'no_credentials', message: 'the client has to authenticate' },
  invalidToken: { status: 401, code: 'invalid_token', message: 'the token is invalid' },
  tokenExpired: { status: 401, code: 'token_expired', message: 'the token has expired' },
  expired: { status: 401, code: 'expired', message: 'the permission to connect has expired' },
  permissionDenied: { status: 403, code: 'permission_denied', message: 'the client may not connect' },
  notAvailable: { status: 403, code: 'not_available', message: 'this server does not offer it' },
  unavailable: {
    status: 503,
    code: 'authorizer_unavailable',
    message: 'the client cannot be authorized now',
    retryable: true,
  },
};

function handshakeRefusal(decision: Exclude<ConnectDecision, ConnectAllowed>): HandshakeRefusal {
  switch (decision.outcome) {
    case 'refused':
      return byCause[decision.cause];
    case 'error':
      return custom(decision.message, isErrorStatus(decision.code) ? decision.code : 403, decision.temporary);
    case 'disconnect':
      return custom(decision.reason);
    case 'abstained':
      return byCause.permissionDenied;
  }
}

/** The metrics count by the code, so it is the same for all refusals of applications. */
function custom(message: string, status = 403, retryable = false): HandshakeRefusal {
  return { status, code: 'refused', message, retryable };
}

function isErrorStatus(code: number): boolean {
  return Number.isInteger(code) && code >= 400 && code <= 599;
}
