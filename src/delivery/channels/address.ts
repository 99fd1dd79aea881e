import { createHash, randomBytes } from 'node:crypto';

/**
 * Every target of a push is a channel. Targets that are not channels of an application have a name that begins with `~`,
 * which no client and no API call may use for itself.
 */
const RESERVED = '~';

/** Names this process among the replicas: 32 random bits in hex. */
export const nodeId = randomBytes(4).toString('hex');

/** An id that cannot be guessed (96 random bits) and that names the node that holds the connection. Shaped like a UUID. */
export function newConnectionId(): string {
  const r = randomBytes(12).toString('hex');
  return `${nodeId}-${r.slice(0, 4)}-${r.slice(4, 8)}-${r.slice(8, 12)}-${r.slice(12)}`;
}

export function isReserved(channel: string): boolean {
  return channel.startsWith(RESERVED);
}

export function userChannel(user: string): string {
  return `~user:${user}`;
}

export function connectionChannel(connectionId: string): string {
  return `~connection:${connectionId}`;
}

/** Where a node is reached by the others. */
export function nodeChannel(uid: string): string {
  return `~node:${uid}`;
}

/** A client without a login is known by its User-Agent and address together; the hash keeps both out of stores and logs. */
export function identityChannel(userAgent: string, address: string): string {
  const hash = createHash('sha256').update(userAgent).update('\0').update(address).digest('base64url');
  return `~identity:${hash}`;
}

/**
 * The name under which a channel travels between processes. It is the channel itself, except for a connection: all
 * connections of one node share that node's route, so that a connection costs no subscription of its own.
 */
export function routeOf(channel: string): string {
  return channel.startsWith('~connection:') ? nodeChannel(channel.slice(12, 20)) : channel;
}
