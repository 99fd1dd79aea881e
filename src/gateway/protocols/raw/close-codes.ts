import type { CloseCodes } from '../../connection/close-codes.js';

/** The close codes of the raw socket, which `docs/protocol.md` lists. A client reconnects after each of them. */
export const closeCodes: CloseCodes = {
  shuttingDown: { code: 3001, reason: 'shutdown', reconnect: true },
  slow: { code: 3008, reason: 'slow', reconnect: true },
  noPong: { code: 3012, reason: 'no pong', reconnect: true },
};
