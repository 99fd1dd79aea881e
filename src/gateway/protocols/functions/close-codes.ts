import type { CloseCodes } from '../../connection/close-codes.js';

/** The close codes of function routes, which `docs/functions.md` lists. A client reconnects after each of them except 1000. */
export const closeCodes = {
  shuttingDown: { code: 1001, reason: 'shutdown', reconnect: true },
  slow: { code: 1008, reason: 'slow', reconnect: true },
  noPong: { code: 1008, reason: 'no pong', reconnect: true },
  /** The backend closes the connection. */
  closedByBackend: { code: 1000, reason: '', reconnect: false },
  /** Limits of AWS. */
  idle: { code: 1001, reason: 'idle', reconnect: true },
  tooOld: { code: 1001, reason: 'connection too old', reconnect: true },
  /** Other nodes have cleaned up after this one. */
  lost: { code: 1012, reason: 'node was silent', reconnect: true },
} as const satisfies CloseCodes;
