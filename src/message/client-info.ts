/** The client behind a publication, a join or a leave, as other clients see it. */
export interface ClientInfo {
  /** Empty for an anonymous client. */
  readonly user: string;
  /** Id of the connection. */
  readonly client: string;
  /** What the connection says about itself: one JSON text. */
  readonly connInfo?: Buffer | undefined;
  /** What its subscription of the channel says: one JSON text. */
  readonly chanInfo?: Buffer | undefined;
}

/** As JSON, its parts as base64: they are bytes that nothing on the way has to read. */
export function toInfoText({ user, client, connInfo, chanInfo }: ClientInfo): string {
  return JSON.stringify({
    user,
    client,
    connInfo: connInfo?.toString('base64'),
    chanInfo: chanInfo?.toString('base64'),
  });
}

/** Reads what {@link toInfoText} wrote; `undefined` for anything else. */
export function fromInfoText(text: string): ClientInfo | undefined {
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
