import type { ClientInfo } from '../../presence/client-info.js';

/** The client as it may be kept: its bytes view all that came over the link with them, which would be kept as well. */
export function keptInfo(info: ClientInfo): ClientInfo {
  const { connInfo, chanInfo } = info;
  return {
    ...info,
    ...(connInfo && { connInfo: copyOf(connInfo) }),
    ...(chanInfo && { chanInfo: copyOf(chanInfo) }),
  };
}

/** In memory of its own: what stays for long would hold back a part of a pool. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
