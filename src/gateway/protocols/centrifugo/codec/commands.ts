/**
 * The requests of clients, in the form to which both encodings decode. A field that the client left out has its zero value (`''`,
 * `0`, `false`, an empty map or list), as in Protobuf. Only payloads and nested messages can be undefined.
 */
export interface Requests {
  connect: ConnectRequest;
  subscribe: SubscribeRequest;
  unsubscribe: ChannelRequest;
  publish: PublishRequest;
  presence: ChannelRequest;
  presenceStats: ChannelRequest;
  history: HistoryRequest;
  rpc: RpcRequest;
  send: SendRequest;
  refresh: RefreshRequest;
  subRefresh: SubRefreshRequest;
}

export type Method = keyof Requests;

export type Command = { [M in Method]: CommandOf<M> }[Method] | Pong;

export interface CommandOf<M extends Method> {
  /** Chosen by the client and repeated in the reply: 1 to 2³²-1. 0 only for `send`, which has no reply. */
  readonly id: number;
  readonly method: M;
  readonly request: Requests[M];
}

/** A command without an id: the reply to a ping, whatever other fields it has. */
export interface Pong {
  readonly id: 0;
  readonly method: 'pong';
  readonly request: undefined;
}

/**
 * A payload, byte for byte as the client sent it: one JSON text in the JSON encoding, any bytes in Protobuf. It is a view of the
 * frame, so code that keeps it after the command has to copy it.
 */
export type Payload = Buffer;

export interface ConnectRequest {
  readonly token: string;
  readonly data: Payload | undefined;
  /** The channels that the client asks for, and its last positions in server-side subscriptions. */
  readonly subs: ReadonlyMap<string, SubscribeRequest>;
  readonly name: string;
  readonly version: string;
  /** Headers for proxies, because browsers cannot set headers on an upgrade request. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bit mask of the features that the client supports. */
  readonly flag: number;
}

export interface RefreshRequest {
  readonly token: string;
}

export interface SubscribeRequest {
  readonly channel: string;
  readonly token: string;
  readonly recover: boolean;
  readonly epoch: string;
  readonly offset: number;
  readonly data: Payload | undefined;
  readonly positioned: boolean;
  readonly recoverable: boolean;
  readonly joinLeave: boolean;
  /** The name of a delta format (`fossil`), or empty. */
  readonly delta: string;
  /** Filters publications by their tags. */
  readonly tf: FilterNode | undefined;
  /** See {@link SubscribeFlag}. */
  readonly flag: number;
  /** The type of the subscription: 0 is a stream of publications, others are maps and polls. */
  readonly type: number;
  /** The phase of a map subscription: 2 state, 1 stream, 0 live. */
  readonly phase: number;
  readonly cursor: string;
  readonly limit: number;
  readonly asc: boolean;
}

/** Bits of {@link SubscribeRequest.flag}. */
export const SubscribeFlag = {
  /** The client accepts a number instead of the channel's name in pushes. */
  channelCompaction: 1,
  /** Reply with error 112 instead of subscribing without recovery. */
  rejectUnrecovered: 2,
} as const;

/** A node of a tags filter: a comparison if `op` is empty, otherwise a combination of `nodes`. */
export interface FilterNode {
  readonly op: string;
  readonly key: string;
  readonly cmp: string;
  readonly val: string;
  readonly vals: readonly string[];
  readonly nodes: readonly FilterNode[];
}

export interface SubRefreshRequest {
  readonly channel: string;
  readonly token: string;
  /** 0 refreshes the subscription, 1 and 2 track and untrack keys of a shared poll. */
  readonly type: number;
  readonly track: readonly TrackBatch[];
  readonly untrack: readonly string[];
}

export interface TrackBatch {
  readonly signature: string;
  readonly items: readonly KeyedItem[];
}

export interface KeyedItem {
  readonly key: string;
  readonly version: number;
}

/** The request of `unsubscribe`, `presence` and `presence_stats`. */
export interface ChannelRequest {
  readonly channel: string;
}

export interface PublishRequest {
  readonly channel: string;
  /** Undefined if the client sent none. The JSON text `null` is a payload. */
  readonly data: Payload | undefined;
  /** 0 is a publication, 1 a write to a map. */
  readonly type: number;
  readonly key: string;
  readonly removed: boolean;
}

export interface HistoryRequest {
  readonly channel: string;
  /** 0 asks only for the position, -1 for as many publications as the server allows. */
  readonly limit: number;
  readonly since: StreamPosition | undefined;
  readonly reverse: boolean;
}

export interface StreamPosition {
  readonly offset: number;
  readonly epoch: string;
}

export interface RpcRequest {
  readonly data: Payload | undefined;
  readonly method: string;
}

export interface SendRequest {
  readonly data: Payload | undefined;
}
