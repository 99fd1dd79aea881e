import type { Method, Payload } from './commands.js';

/**
 * The results of commands and the pushes of the server. A field that is absent or zero is left out on the wire, except for a few that
 * the protocol always writes (see `reply-schemas.ts`). Seconds are whole numbers, offsets count from 1.
 */
export interface Results {
  connect: ConnectResult;
  subscribe: SubscribeResult;
  unsubscribe: EmptyResult;
  publish: EmptyResult;
  presence: PresenceResult;
  presenceStats: PresenceStatsResult;
  history: HistoryResult;
  rpc: RpcResult;
  refresh: RefreshResult;
  subRefresh: SubRefreshResult;
}

/** A request with a reply: all but `send`. */
export type AnsweredMethod = Exclude<Method, 'send'>;

export interface Pushes {
  pub: Publication;
  join: ClientInfoPush;
  leave: ClientInfoPush;
  unsubscribe: CodeAndReason;
  message: MessagePush;
  subscribe: SubscribePush;
  connect: ConnectResult;
  disconnect: CodeAndReason;
  refresh: Expiry;
}

export type PushKind = keyof Pushes;

export interface ClientInfo {
  readonly user?: string | undefined;
  readonly client?: string | undefined;
  readonly connInfo?: Payload | undefined;
  readonly chanInfo?: Payload | undefined;
}

export interface Publication {
  readonly data?: Payload | undefined;
  /** The client that published it. */
  readonly info?: ClientInfo | undefined;
  readonly offset?: number | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** `data` is a delta from the previous publication. */
  readonly delta?: boolean | undefined;
  /** Unix time in ms. */
  readonly time?: number | undefined;
  /** The channel, if the subscription is to a pattern. */
  readonly channel?: string | undefined;
  readonly key?: string | undefined;
  readonly removed?: boolean | undefined;
  readonly score?: number | undefined;
  readonly epoch?: string | undefined;
  readonly prevData?: Payload | undefined;
  readonly version?: number | undefined;
}

export interface Expiry {
  readonly expires?: boolean | undefined;
  /** Seconds. */
  readonly ttl?: number | undefined;
}

export interface ConnectResult extends Expiry {
  readonly client?: string | undefined;
  readonly version?: string | undefined;
  readonly data?: Payload | undefined;
  /** The server-side subscriptions by channel. */
  readonly subs?: ReadonlyMap<string, SubscribeResult> | undefined;
  /** Seconds between two pings of the server. */
  readonly ping?: number | undefined;
  /** Whether the client has to reply to pings. */
  readonly pong?: boolean | undefined;
  readonly session?: string | undefined;
  readonly node?: string | undefined;
  /** Unix time in ms. */
  readonly time?: number | undefined;
}

export interface SubscribeResult extends Expiry {
  readonly recoverable?: boolean | undefined;
  readonly epoch?: string | undefined;
  readonly publications?: readonly Publication[] | undefined;
  readonly recovered?: boolean | undefined;
  readonly offset?: number | undefined;
  readonly positioned?: boolean | undefined;
  readonly data?: Payload | undefined;
  readonly wasRecovering?: boolean | undefined;
  readonly delta?: boolean | undefined;
  /** A number that replaces the channel in pushes. */
  readonly id?: number | undefined;
  readonly type?: number | undefined;
  readonly phase?: number | undefined;
  readonly cursor?: string | undefined;
  readonly state?: readonly Publication[] | undefined;
  /** Milliseconds. */
  readonly publishDebounce?: number | undefined;
}

export interface RefreshResult extends Expiry {
  readonly client?: string | undefined;
  readonly version?: string | undefined;
}

export interface SubRefreshResult extends Expiry {
  readonly items?: readonly Publication[] | undefined;
}

export interface PresenceResult {
  /** The connections in the channel by client id. */
  readonly presence?: ReadonlyMap<string, ClientInfo> | undefined;
}

export interface PresenceStatsResult {
  readonly numClients?: number | undefined;
  readonly numUsers?: number | undefined;
}

export interface HistoryResult {
  readonly publications?: readonly Publication[] | undefined;
  readonly epoch?: string | undefined;
  readonly offset?: number | undefined;
}

export interface RpcResult {
  readonly data?: Payload | undefined;
}

export type EmptyResult = Readonly<Record<string, never>>;

/** The body of a join and of a leave. */
export interface ClientInfoPush {
  readonly info?: ClientInfo | undefined;
}

export interface CodeAndReason {
  readonly code?: number | undefined;
  readonly reason?: string | undefined;
}

export interface MessagePush {
  readonly data?: Payload | undefined;
}

/** A server-side subscription that begins while the client is connected. */
export interface SubscribePush {
  readonly recoverable?: boolean | undefined;
  readonly epoch?: string | undefined;
  readonly offset?: number | undefined;
  readonly positioned?: boolean | undefined;
  readonly data?: Payload | undefined;
}
