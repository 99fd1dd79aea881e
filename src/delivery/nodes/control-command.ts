import type { SubscriptionOverride } from '../channels/subscription-features.js';
import type { StreamPosition } from '../publications/publication.js';

/** The connections of a user, or only the one with the given id or session. */
export interface CommandTarget {
  /** Empty for the anonymous users. */
  readonly user: string;
  /** Id of the connection. Empty or absent: any. */
  readonly client?: string;
  readonly session?: string;
}

export interface SubscribeCommand extends CommandTarget {
  readonly kind: 'subscribe';
  readonly channel: string;
  /** JSON text that other clients see in presence, joins and publications. */
  readonly info?: Buffer;
  /** JSON text for the client. */
  readonly data?: Buffer;
  /** Unix time in ms at which the subscription ends. */
  readonly expiresAt?: number;
  readonly recoverSince?: StreamPosition;
  readonly override?: SubscriptionOverride;
}

export interface UnsubscribeCommand extends CommandTarget {
  readonly kind: 'unsubscribe';
  readonly channel: string;
}

/**
 * A connection becomes the only one of its user. Of two takeovers at the same time, the one with the greater id is the
 * later one.
 */
export interface Takeover {
  /** Unix time in ms, or somewhat more. */
  readonly at: number;
  /** Id of the connection. */
  readonly client: string;
}

export interface DisconnectCommand extends CommandTarget {
  readonly kind: 'disconnect';
  /** Ids of connections that stay open. */
  readonly whitelist?: readonly string[];
  /** Close code and reason. Absent: those of the protocol for a forced disconnect. */
  readonly disconnect?: { readonly code: number; readonly reason: string };
  /** Connections with a later takeover stay open. The name is part of the form on the wire between nodes. */
  readonly claim?: Takeover;
}

export interface RefreshCommand extends CommandTarget {
  readonly kind: 'refresh';
  readonly expired: boolean;
  /** Unix time in ms. Absent: the connection does not expire any more. */
  readonly expiresAt?: number;
  /** JSON text that replaces the information about the connection. */
  readonly info?: Buffer;
}

/** A command to connections, on whichever node they are. */
export type ControlCommand = SubscribeCommand | UnsubscribeCommand | DisconnectCommand | RefreshCommand;

/** Executes a command on the connections of this node, of which it may affect none. Must not throw. */
export type CommandHandler = (command: ControlCommand) => void;
