import type { CloseCode, CloseCodes } from '../../connection/close-codes.js';

function reconnecting<Code extends number>(code: Code, reason: string) {
  return { code, reason, reconnect: true } as const satisfies CloseCode;
}

function final<Code extends number>(code: Code, reason: string) {
  return { code, reason, reconnect: false } as const satisfies CloseCode;
}

/**
 * The close codes of the protocol: a client reconnects after those below 3500. `docs/protocol.md` lists them, and which
 * of them only a backend sends; a test compares the two lists.
 */
export const closeCodes = {
  shutdown: reconnecting(3001, 'shutdown'),
  internalError: reconnecting(3004, 'internal server error'),
  connectionExpired: reconnecting(3005, 'connection expired'),
  subscriptionExpired: reconnecting(3006, 'subscription expired'),
  slow: reconnecting(3008, 'slow'),
  writeError: reconnecting(3009, 'write error'),
  insufficientState: reconnecting(3010, 'insufficient state'),
  forceReconnect: reconnecting(3011, 'force reconnect'),
  noPong: reconnecting(3012, 'no pong'),
  tooManyRequests: reconnecting(3013, 'too many requests'),
  stateInvalidated: reconnecting(3014, 'state invalidated'),
  invalidToken: final(3500, 'invalid token'),
  badRequest: final(3501, 'bad request'),
  stale: final(3502, 'stale'),
  forceDisconnect: final(3503, 'force disconnect'),
  connectionLimit: final(3504, 'connection limit'),
  channelLimit: final(3505, 'channel limit'),
  inappropriateProtocol: final(3506, 'inappropriate protocol'),
  permissionDenied: final(3507, 'permission denied'),
  notAvailable: final(3508, 'not available'),
  tooManyErrors: final(3509, 'too many errors'),
} as const satisfies Record<string, CloseCode>;

/** The same codes, with the names of the gateway's reasons as well. */
export const closeCodesByReason: CloseCodes = {
  ...closeCodes,
  shuttingDown: closeCodes.shutdown,
};
