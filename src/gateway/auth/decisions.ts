import type { SubscriptionOverride } from '../../delivery/index.js';

/** A value, or a promise of it where it cannot be had at once. */
export type Awaitable<Value> = Value | PromiseLike<Value>;

/**
 * What may be sent to clients: one JSON text, or any bytes for clients with a binary encoding.
 * A client that cannot receive it in its encoding is disconnected.
 */
export type Payload = Buffer;

/** The values of a subscription that do not come from the options of its channel. */
export interface SubscriptionGrant {
  /** Others see it with the client's joins, leaves, presence and publications in this channel. */
  readonly info?: Payload | undefined;
  /** Sent to the client with the subscription. */
  readonly data?: Payload | undefined;
  readonly override?: SubscriptionOverride | undefined;
}

export interface ConnectAllowed {
  readonly outcome: 'allowed';
  /** The client's user id. Empty or absent: an anonymous client. */
  readonly user?: string;
  /** Unix time in seconds at which the connection expires; absent for never. A time that has passed refuses it as `expired`. */
  readonly expireAt?: number | undefined;
  /** Others see it with the client's joins, leaves, presence and publications. */
  readonly info?: Payload | undefined;
  /** Sent to the client with the reply to its connect. */
  readonly data?: Payload | undefined;
  /** The channels that the client is subscribed to by the server. */
  readonly channels?: ReadonlyMap<string, SubscriptionGrant>;
  /** Kept on the server for later attempts of this client. */
  readonly meta?: Buffer | undefined;
}

export interface RefreshAllowed {
  readonly outcome: 'allowed';
  /** The new expiry in Unix seconds; absent for never. */
  readonly expireAt?: number | undefined;
  /** Replaces the client's info; absent: it stays. */
  readonly info?: Payload | undefined;
  /** Replaces what is kept on the server for later attempts; absent: it stays. */
  readonly meta?: Buffer | undefined;
  /** If these are not the channels of the connect decision, the client has to connect again. Absent: they are. */
  readonly channels?: ReadonlyMap<string, SubscriptionGrant>;
}

export interface SubscribeAllowed extends SubscriptionGrant {
  readonly outcome: 'allowed';
  /** Unix time in seconds at which the subscription expires; absent for never. */
  readonly expireAt?: number | undefined;
}

export interface SubRefreshAllowed {
  readonly outcome: 'allowed';
  /** The new expiry in Unix seconds; absent for never. */
  readonly expireAt?: number | undefined;
  /** Replaces the client's info in this channel, also when it is absent. */
  readonly info?: Payload | undefined;
}

export interface PublishAllowed {
  readonly outcome: 'allowed';
  /** Published instead of the client's data. */
  readonly data?: Payload;
  readonly tags?: Readonly<Record<string, string>>;
  /** Do not keep it in the channel's history. */
  readonly skipHistory?: boolean;
  /** Drops the publication if one with the same key came before. */
  readonly idempotencyKey?: string;
  /** Whether subscribers may receive a delta; absent: as the options of the channel say. */
  readonly delta?: boolean;
  /** Drops the publication unless the version is higher than the last one. A whole number above 0. */
  readonly version?: number;
  readonly versionEpoch?: string;
}

export interface RpcAllowed {
  readonly outcome: 'allowed';
  /** The result. */
  readonly data?: Payload | undefined;
}

/**
 * Why an attempt is refused. Each protocol maps the cause to its own code.
 * - `noCredentials`: the client has to send a token, or something else that shows who it is.
 * - `invalidToken`: the token was never valid here, or is for something else.
 * - `tokenExpired`: the client should get a new token and try again.
 * - `expired`: what was asked for has ended already.
 * - `permissionDenied`: the client may not do this.
 * - `notAvailable`: this server does not offer it.
 * - `unavailable`: it cannot be decided now; the same attempt may succeed later.
 */
export type RefusalCause =
  | 'noCredentials'
  | 'invalidToken'
  | 'tokenExpired'
  | 'expired'
  | 'permissionDenied'
  | 'notAvailable'
  | 'unavailable';

export interface Refused {
  readonly outcome: 'refused';
  readonly cause: RefusalCause;
  /** The reason for the logs. Clients do not see it. */
  readonly detail?: string;
}

/** A refusal with a code of the application. The client receives it as the error of its command. */
export interface RefusedWithError {
  readonly outcome: 'error';
  /** 400 to 1999. The status, if a handshake is refused: 403 if the code is not one of an HTTP error. */
  readonly code: number;
  readonly message: string;
  /** The client may retry. */
  readonly temporary?: boolean;
}

/** A refusal that closes the connection with a code of the application. */
export interface RefusedWithDisconnect {
  readonly outcome: 'disconnect';
  /** 4000 to 4999. Clients reconnect after 4000 to 4499. */
  readonly code: number;
  /** At most 123 bytes. */
  readonly reason: string;
}

export type Refusal = Refused | RefusedWithError | RefusedWithDisconnect;

/** The next authorizer decides. */
export interface Abstained {
  readonly outcome: 'abstained';
}

export const abstained: Abstained = { outcome: 'abstained' };

export function refused(cause: RefusalCause, detail?: string): Refused {
  return detail === undefined ? { outcome: 'refused', cause } : { outcome: 'refused', cause, detail };
}

export type ConnectDecision = ConnectAllowed | Refusal | Abstained;
export type RefreshDecision = RefreshAllowed | Refusal | Abstained;
export type SubscribeDecision = SubscribeAllowed | Refusal | Abstained;
export type SubRefreshDecision = SubRefreshAllowed | Refusal | Abstained;
export type PublishDecision = PublishAllowed | Refusal | Abstained;
export type RpcDecision = RpcAllowed | Refusal | Abstained;

/** The decision with which each method of an authorizer allows an attempt. */
export interface Allowances {
  readonly connect: ConnectAllowed;
  readonly refresh: RefreshAllowed;
  readonly subscribe: SubscribeAllowed;
  readonly subRefresh: SubRefreshAllowed;
  readonly publish: PublishAllowed;
  readonly rpc: RpcAllowed;
}

export type DecisionOf<S extends keyof Allowances> = Allowances[S] | Refusal | Abstained;
