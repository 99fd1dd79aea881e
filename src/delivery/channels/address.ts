import { createHash, randomBytes } from 'node:crypto';

/**
 * Every target of a push is a channel. The names of targets that are not channels of the application begin with `~`,
 * which clients and API calls must not use.
 */
const RESERVED = '~';

/** Identifies this process among the replicas: 32 random bits in hex. */
export const nodeId = randomBytes(4).toString('hex');

/**
 * Returns an id in the form of a UUID. It cannot be guessed (96 random bits), and it begins with the node of the
 * connection.
 */
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

/** The channel over which other nodes reach a node. */
export function nodeChannel(uid: string): string {
  return `~node:${uid}`;
}

/**
 * A client without a login is identified by its User-Agent and its address. The hash keeps both out of stores and logs.
 */
export function identityChannel(userAgent: string, address: string): string {
  const hash = createHash('sha256').update(userAgent).update('\0').update(address).digest('base64url');
  return `~identity:${hash}`;
}

/**
 * Returns the name of a channel between processes. It is the channel itself, except for a connection: all connections
 * of a node share the route of the node, so that a connection needs no subscription of its own.
 */
export function routeOf(channel: string): string {
  return channel.startsWith('~connection:') ? nodeChannel(channel.slice(12, 20)) : channel;
}
