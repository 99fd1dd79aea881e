import { CarillonError } from '../../../errors.js';
import type { CloseCode } from '../../connection/close-codes.js';
import { closeCodes } from './close-codes.js';

/** The bytes are not a message of the protocol. The codecs catch it and return a fault. */
export class MalformedError extends CarillonError {
  readonly code = 'malformed_frame';
}

/** An error that the client receives. Codes below 400 are defined by the protocol, 400 to 1999 by applications. */
export interface ReplyError {
  readonly code: number;
  readonly message: string;
  /** The same command may succeed later: client libraries retry it. */
  readonly temporary?: boolean | undefined;
}

/** The errors of the protocol that this server sends. */
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

/** Why the server ended a subscription. The client subscribes again after codes from 2500. */
export const unsubscribeReasons = {
  server: { code: 2000, reason: 'server unsubscribe' },
  insufficientState: { code: 2500, reason: 'insufficient state' },
  subscriptionExpired: { code: 2501, reason: 'subscription expired' },
} as const;

/** Thrown to reply to a command with an error. */
export class CommandRefusedError extends CarillonError {
  readonly code = 'command_refused';

  constructor(readonly reply: ReplyError) {
    super(reply.message);
  }
}

/** Thrown to close the connection instead of replying to a command. */
export class DisconnectError extends CarillonError {
  readonly code = 'connection_forfeited';

  constructor(readonly close: CloseCode) {
    super(close.reason);
  }
}

/** Returns the close code that a backend or an application chose, or `forceDisconnect` if it does not fit in a close frame. */
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

/** A store did not reply in the time that a client waits. */
export class SubscribeTimeoutError extends CarillonError {
  readonly code = 'subscribe_timeout';
  override readonly retryable = true;

  constructor() {
    super('the store did not complete the subscription in time');
  }
}
