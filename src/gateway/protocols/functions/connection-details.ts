import type { ConnectionContext } from './backend.js';

/** What is stored with a registered connection, for a cleanup by another node. */
export function encodeContext(context: ConnectionContext): Buffer {
  return Buffer.from(JSON.stringify(context));
}

export function decodeContext(details: Buffer): ConnectionContext {
  return JSON.parse(details.toString()) as ConnectionContext;
}
