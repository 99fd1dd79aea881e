import { blobLength, ByteReader, textBytes } from '../publications/byte-reader.js';
import type { ClientInfo } from './client-info.js';

const HAS_CONN_INFO = 1;
const HAS_CHAN_INFO = 2;

/**
 * ```
 * 2  length of the user, then the user in UTF-8
 * 2  length of the connection id, then the id
 * 1  flags: 1 info of the connection · 2 info of the subscription
 * 4  length of each of these two, then its bytes  (if flagged)
 * ```
 * @throws RangeError if the user or the id is longer than 65535 bytes
 */
export function encodeClientInfo({ user, client, connInfo, chanInfo }: ClientInfo): Buffer {
  const flags = (connInfo === undefined ? 0 : HAS_CONN_INFO) | (chanInfo === undefined ? 0 : HAS_CHAN_INFO);
  const parts: Buffer[] = [textBytes(user), textBytes(client), Buffer.of(flags)];
  for (const blob of [connInfo, chanInfo]) if (blob !== undefined) parts.push(blobLength(blob), blob);
  return Buffer.concat(parts);
}

export function readClientInfo(reader: ByteReader): ClientInfo {
  const [user, client, flags] = [reader.text(), reader.text(), reader.byte()];
  const connInfo = flags & HAS_CONN_INFO ? reader.blob() : undefined;
  const chanInfo = flags & HAS_CHAN_INFO ? reader.blob() : undefined;
  return {
    user,
    client,
    ...(connInfo === undefined ? {} : { connInfo }),
    ...(chanInfo === undefined ? {} : { chanInfo }),
  };
}

/** Reads what {@link encodeClientInfo} wrote. Returns undefined for anything else. */
export function decodeClientInfo(bytes: Buffer): ClientInfo | undefined {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const info = readClientInfo(reader);
  return reader.overrun ? undefined : info;
}
