/** The code and the reason with which a connection is closed. */
export interface CloseCode {
  readonly code: number;
  /** The reason in words, at most 123 bytes. */
  readonly reason: string;
  /** Whether the client should connect again. */
  readonly reconnect: boolean;
}

/**
 * Why the gateway ends a connection, whatever its protocol:
 * - `shuttingDown`: the process stops.
 * - `slow`: more bytes wait for the client than `gateway.outboxMaxBytes`.
 * - `noPong`: the client did not answer a ping in time.
 */
export type CloseReason = 'shuttingDown' | 'slow' | 'noPong';

/** The close codes of one protocol: one for each reason of the gateway, and those that only the protocol itself uses. */
export type CloseCodes = Readonly<Record<CloseReason, CloseCode>> & Readonly<Record<string, CloseCode>>;

/** The codes of WebSocket itself (RFC 6455, section 7.4.1). 1005 (no code) and 1006 (no close) are never sent. */
const webSocketCodes: ReadonlySet<number> = new Set([1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009]);

/** Returns the code as a metric label: `other` for a number that the client has made up. */
export function closeCodeLabel(code: number, codes: CloseCodes): string {
  const isKnown = webSocketCodes.has(code) || Object.values(codes).some((known) => known.code === code);
  return isKnown ? String(code) : 'other';
}
