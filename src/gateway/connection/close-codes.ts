/** Why this server ends a connection. The numbers and reasons are Centrifugo's, so that its clients understand them. */
export interface CloseCode {
  readonly code: number;
  /** Goes to the client; at most 123 bytes. */
  readonly reason: string;
  /** Whether the client should come back: of Centrifugo's codes, those below 3500. */
  readonly reconnect: boolean;
}

function comeBack<Code extends number>(code: Code, reason: string) {
  return { code, reason, reconnect: true } as const satisfies CloseCode;
}

function stayAway<Code extends number>(code: Code, reason: string) {
  return { code, reason, reconnect: false } as const satisfies CloseCode;
}

/** The close codes of the protocol. `docs/protocol.md` lists them, and which of them come from a backend only; a test compares the two. */
export const closeCodes = {
  shutdown: comeBack(3001, 'shutdown'),
  internalError: comeBack(3004, 'internal server error'),
  connectionExpired: comeBack(3005, 'connection expired'),
  subscriptionExpired: comeBack(3006, 'subscription expired'),
  slow: comeBack(3008, 'slow'),
  writeError: comeBack(3009, 'write error'),
  insufficientState: comeBack(3010, 'insufficient state'),
  forceReconnect: comeBack(3011, 'force reconnect'),
  noPong: comeBack(3012, 'no pong'),
  tooManyRequests: comeBack(3013, 'too many requests'),
  stateInvalidated: comeBack(3014, 'state invalidated'),
  invalidToken: stayAway(3500, 'invalid token'),
  badRequest: stayAway(3501, 'bad request'),
  stale: stayAway(3502, 'stale'),
  forceDisconnect: stayAway(3503, 'force disconnect'),
  connectionLimit: stayAway(3504, 'connection limit'),
  channelLimit: stayAway(3505, 'channel limit'),
  inappropriateProtocol: stayAway(3506, 'inappropriate protocol'),
  permissionDenied: stayAway(3507, 'permission denied'),
  notAvailable: stayAway(3508, 'not available'),
  tooManyErrors: stayAway(3509, 'too many errors'),
} as const satisfies Record<string, CloseCode>;

/** The codes of RFC 6455 that the WebSocket layer sends when a client breaks the protocol, by the error that it raises. */
const protocolFaults: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};

export function codeOfProtocolFault(fault: Error): number {
  return ('code' in fault && protocolFaults[String(fault.code)]) || 1002;
}

const counted = new Set([
  1000,
  1001,
  1002,
  1005,
  1006,
  1007,
  1008,
  1009,
  ...Object.values(closeCodes).map(({ code }) => code),
]);

/** The code as a metric's label. A client may close with any number: what is not ours becomes `other`. */
export function closeCodeLabel(code: number): string {
  return counted.has(code) ? String(code) : 'other';
}
