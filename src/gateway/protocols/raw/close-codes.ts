import type { CloseCodes } from '../../connection/close-codes.js';

/** A client connects again after each of them but 3506. `docs/protocol.md` lists the codes. */
export const closeCodes: CloseCodes = {
  shuttingDown: { code: 3001, reason: 'shutdown', reconnect: true },
  slow: { code: 3008, reason: 'slow', reconnect: true },
  noPong: { code: 3012, reason: 'no pong', reconnect: true },
  tooManyRequests: { code: 3013, reason: 'too many requests', reconnect: true },
  unencodable: { code: 3506, reason: 'inappropriate protocol', reconnect: false },
};
