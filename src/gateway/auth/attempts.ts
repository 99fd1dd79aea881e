import type { ChannelRule } from '../../delivery/index.js';

/** The connection that an attempt comes from. It stays the same for the life of the connection. */
export interface ClientContext {
  /** The id of the connection, which the client knows as well. */
  readonly connectionId: string;
  /** The name of the protocol, such as `raw`. */
  readonly protocol: string;
  /** How the protocol encodes its messages, such as `json`; empty if it has only one way. */
  readonly encoding: string;
  /** The transport of the connection, such as `websocket`. */
  readonly transport: string;
  /** The client's address, behind the trusted proxies. */
  readonly address: string;
  /** Empty without the header. */
  readonly userAgent: string;
  /** The headers of the handshake that `gateway.forwardedHeaders` or a proxy names, by name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The headers in the connect command that a proxy names, by name in lower case. The client can write what it likes into them. */
  readonly emulatedHeaders?: Readonly<Record<string, string>>;
  /** The query of the URL, without `?`. */
  readonly query: string;
  /** The parameters of the path, by name. */
  readonly params: Readonly<Record<string, string>>;
}

export interface ConnectAttempt {
  readonly client: ClientContext;
  /** Empty without a token. */
  readonly token: string;
  /** The data that the client sent for the authorizer. */
  readonly data: Buffer | undefined;
  /** The name and version that the client library gives itself; may be empty. */
  readonly name: string;
  readonly version: string;
  /** The channels that the client asks for. Each is asked about with `subscribe`, unless the decision includes it. */
  readonly channels: readonly string[];
}

/** An attempt of a client that is connected. */
interface IdentifiedAttempt {
  readonly client: ClientContext;
  /** Empty for an anonymous client. */
  readonly user: string;
  /** The meta of the decision about its connect. */
  readonly meta: Buffer | undefined;
}

export interface RefreshAttempt extends IdentifiedAttempt {
  /** Empty if the server itself asks, because the connection has expired and a proxy renews connections. */
  readonly token: string;
}

export interface SubscribeAttempt extends IdentifiedAttempt {
  readonly channel: string;
  /** The options of the channel's namespace. */
  readonly rule: ChannelRule;
  /** Empty without a token. */
  readonly token: string;
  readonly data: Buffer | undefined;
  /** The client named the channel when it connected. If it is refused, the client connects without the channel. */
  readonly atConnect: boolean;
}

export interface SubRefreshAttempt extends IdentifiedAttempt {
  readonly channel: string;
  /** Empty if the server itself asks, because the subscription has expired and a proxy renews subscriptions. */
  readonly token: string;
}

export interface PublishAttempt extends IdentifiedAttempt {
  readonly channel: string;
  /** The options of the channel's namespace. */
  readonly rule: ChannelRule;
  readonly data: Buffer;
  readonly isSubscribed: boolean;
}

export interface RpcAttempt extends IdentifiedAttempt {
  readonly method: string;
  readonly data: Buffer | undefined;
}

/** The argument of each method of an authorizer. */
export interface Attempts {
  readonly connect: ConnectAttempt;
  readonly refresh: RefreshAttempt;
  readonly subscribe: SubscribeAttempt;
  readonly subRefresh: SubRefreshAttempt;
  readonly publish: PublishAttempt;
  readonly rpc: RpcAttempt;
}

export type Step = keyof Attempts;
