import { CarillonError } from '../../../errors.js';
import type { CloseCode } from '../../connection/close-codes.js';
import { closeCodes } from './close-codes.js';

/** Bytes that are not the protocol's. Stays inside the codecs, which answer with a fault instead. */
export class MalformedError extends CarillonError {
  readonly code = 'malformed_frame';
}

/** An error as the client sees it. Codes below 400 are the protocol's, 400 to 1999 an application's. */
export interface ReplyError {
  readonly code: number;
  readonly message: string;
  /** The same command may succeed later: client libraries try again by themselves. */
  readonly temporary?: boolean | undefined;
}

/** Those of the protocol that this server answers with. */
export const replyErrors = {
  internal: { code: 100, message: 'internal server error', temporary: true },
  unknownChannel: { code: 102, message: 'unknown channel' },
  permissionDenied: { code: 103, message: 'permission denied' },
  methodNotFound: { code: 104, message: 'method not found' },
  alreadySubscribed: { code: 105, message: 'already subscribed' },
  limitExceeded: { code: 106, message: 'limit exceeded' },
  badRequest: { code: 107, message: 'bad request' },
  notAvailable: { code: 108, message: 'not available' },
  tokenExpired: { code: 109, message: 'token expired' },
  expired: { code: 110, message: 'expired' },
  tooManyRequests: { code: 111, message: 'too many requests', temporary: true },
  unrecoverablePosition: { code: 112, message: 'unrecoverable position' },
} as const satisfies Record<string, ReplyError>;

/** Why the server ended a subscription. Below 2500 the client stays unsubscribed, from 2500 on it subscribes again. */
export const unsubscribeReasons = {
  server: { code: 2000, reason: 'server unsubscribe' },
  insufficientState: { code: 2500, reason: 'insufficient state' },
  subscriptionExpired: { code: 2501, reason: 'subscription expired' },
} as const;

/** The answer to a command is an error. */
export class CommandRefusedError extends CarillonError {
  readonly code = 'command_refused';

  constructor(readonly reply: ReplyError) {
    super(reply.message);
  }
}

/** The answer to a command is the end of the connection. */
export class DisconnectError extends CarillonError {
  readonly code = 'connection_forfeited';

  constructor(readonly close: CloseCode) {
    super(close.reason);
  }
}

/** A code and reason that the backend or the application chose. What does not fit in a close frame becomes `forceDisconnect`. */
export function applicationCloseCode({
  code,
  reason,
}: {
  readonly code: number;
  readonly reason: string;
}): CloseCode {
  const fits = code >= 3000 && code <= 4999 && Buffer.byteLength(reason) <= 123;
  return fits ? { code, reason, reconnect: code % 1000 < 500 } : closeCodes.forceDisconnect;
}

/** A store did not answer in the time that a client waits for. */
export class SubscribeTimeoutError extends CarillonError {
  readonly code = 'subscribe_timeout';
  override readonly retryable = true;

  constructor() {
    super('the subscription was not in force in time');
  }
}
