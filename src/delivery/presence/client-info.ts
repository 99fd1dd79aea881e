/** What other clients see of the client that sent a publication, or that joined or left a channel. */
export interface ClientInfo {
  /** Empty for an anonymous client. */
  readonly user: string;
  /** Id of the connection. */
  readonly client: string;
  /** Information about the connection: one JSON text. */
  readonly connInfo?: Buffer | undefined;
  /** Information about its subscription to the channel: one JSON text. */
  readonly chanInfo?: Buffer | undefined;
}

/**
 * Returns the form that a message header holds: JSON, with the information as base64, which nothing on the way has to
 * read.
 */
export function toClientInfoText({ user, client, connInfo, chanInfo }: ClientInfo): string {
  return JSON.stringify({
    user,
    client,
    connInfo: connInfo?.toString('base64'),
    chanInfo: chanInfo?.toString('base64'),
  });
}

/** Reads what {@link toClientInfoText} wrote. Returns undefined for anything else. */
export function fromClientInfoText(text: string): ClientInfo | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { user, client, connInfo, chanInfo } = value as Record<string, unknown>;
  if (typeof user !== 'string' || typeof client !== 'string') return undefined;
  return {
    user,
    client,
    ...(typeof connInfo === 'string' ? { connInfo: Buffer.from(connInfo, 'base64') } : {}),
    ...(typeof chanInfo === 'string' ? { chanInfo: Buffer.from(chanInfo, 'base64') } : {}),
  };
}

/** Approximate bytes of a client in a reply beside what it names. */
const INFO_BYTES = 60;

export function bytesOfInfo({ user, client, connInfo, chanInfo }: ClientInfo): number {
  return INFO_BYTES + user.length + client.length + (connInfo?.length ?? 0) + (chanInfo?.length ?? 0);
}
