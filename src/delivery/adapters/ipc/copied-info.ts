import type { ClientInfo } from '../../presence/client-info.js';

/**
 * Returns a client info that may be stored. The original's bytes are views of everything that arrived with them over
 * the link, which would be kept in memory as well.
 */
export function copiedInfo(info: ClientInfo): ClientInfo {
  const { connInfo, chanInfo } = info;
  return {
    ...info,
    ...(connInfo && { connInfo: copyOf(connInfo) }),
    ...(chanInfo && { chanInfo: copyOf(chanInfo) }),
  };
}

/** Copies into memory of its own: a copy from a pool would keep the pool. */
export function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
