/** The codes of RFC 6455 that `ws` closes with when a client breaks the WebSocket protocol, by the code of the error that it raises. */
const faultCodes: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};

export function codeOfProtocolFault(fault: Error): number {
  return ('code' in fault && faultCodes[String(fault.code)]) || 1002;
}
