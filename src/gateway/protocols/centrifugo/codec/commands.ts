/**
 * What a client asks for, in the form that both encodings decode to. A field that the client left out has its zero
 * value (`''`, `0`, `false`, an empty map or list), as in Protobuf; only payloads and nested messages can be absent.
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
  /** Chosen by the client and echoed in the answer: 1 to 2³²-1; 0 only for `send`, which has no answer. */
  readonly id: number;
  readonly method: M;
  readonly request: Requests[M];
}

/** A command without an id: the answer to a ping, whatever else it holds. */
export interface Pong {
  readonly id: 0;
  readonly method: 'pong';
  readonly request: undefined;
}

/**
 * A payload as the client spelled it: one JSON text in the JSON encoding, any bytes in Protobuf. It views the frame it
 * came in: whoever keeps it beyond the handling of the command keeps a copy.
 */
export type Payload = Buffer;

export interface ConnectRequest {
  readonly token: string;
  readonly data: Payload | undefined;
  /** Positions from which server-side subscriptions are to be recovered, by channel. */
  readonly subs: ReadonlyMap<string, SubscribeRequest>;
  readonly name: string;
  readonly version: string;
  /** Headers that a browser cannot set on an upgrade request; meant for proxies. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bit mask of features that the client knows. */
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
  /** Name of a delta format, `fossil`, or empty. */
  readonly delta: string;
  /** Filter by the publications' tags. */
  readonly tf: FilterNode | undefined;
  /** See {@link SubscribeFlag}. */
  readonly flag: number;
  /** Kind of subscription: 0 is a stream of publications, others are maps and polls. */
  readonly type: number;
  /** Step of a map subscription: 2 state, 1 stream, 0 live. */
  readonly phase: number;
  readonly cursor: string;
  readonly limit: number;
  readonly asc: boolean;
}

/** Bits of {@link SubscribeRequest.flag}. */
export const SubscribeFlag = {
  /** The client can do with a number instead of the channel's name in pushes. */
  channelCompaction: 1,
  /** Answer with error 112 instead of an unrecovered success. */
  rejectUnrecovered: 2,
} as const;

/** One node of a tags filter: a comparison where `op` is empty, else a combination of `nodes`. */
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
  /** 0 refreshes the subscription; 1 and 2 track and untrack keys of a shared poll. */
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
  /** Absent where the client sent none; the JSON text `null` is a payload. */
  readonly data: Payload | undefined;
  /** 0 is a plain publication, 1 a write to a map. */
  readonly type: number;
  readonly key: string;
  readonly removed: boolean;
}

export interface HistoryRequest {
  readonly channel: string;
  /** 0 asks for the position only, -1 for all that the server gives at once. */
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
