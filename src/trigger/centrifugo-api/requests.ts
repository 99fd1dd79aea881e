/** The requests of the API by method. Their names in JSON are the same in snake_case. */
export interface Requests {
  readonly publish: PublishRequest;
  readonly broadcast: BroadcastRequest;
  readonly subscribe: SubscribeRequest;
  readonly unsubscribe: UnsubscribeRequest;
  readonly disconnect: DisconnectRequest;
  readonly presence: ChannelRequest;
  readonly presence_stats: ChannelRequest;
  readonly history: HistoryRequest;
  readonly history_remove: ChannelRequest;
  readonly info: object;
  readonly rpc: RpcRequest;
  readonly refresh: RefreshRequest;
  readonly channels: ChannelsRequest;
}

export interface Position {
  readonly offset: number;
  readonly epoch: string;
}

/** The fields that publish and broadcast have in common. */
export interface PublicationFields {
  readonly data: Buffer | undefined;
  /** Base64. Takes precedence over `data`. */
  readonly b64data: string;
  readonly skipHistory: boolean;
  readonly tags: ReadonlyMap<string, string>;
  readonly idempotencyKey: string;
  readonly delta: boolean;
  readonly version: number;
  readonly versionEpoch: string;
  /** From here on, fields that only this server has, as JSON text: when the message is delivered, and by which route. */
  readonly delay: Buffer | undefined;
  readonly deliverAt: Buffer | undefined;
  readonly expiresIn: Buffer | undefined;
  readonly via: Buffer | undefined;
}

export interface PublishRequest extends PublicationFields {
  readonly channel: string;
}

export interface BroadcastRequest extends PublicationFields {
  readonly channels: readonly string[];
}

export interface ChannelRequest {
  readonly channel: string;
}

export interface HistoryRequest extends ChannelRequest {
  readonly limit: number;
  readonly since: Position | undefined;
  readonly reverse: boolean;
}

export interface ChannelsRequest {
  readonly pattern: string;
}

export interface RpcRequest {
  readonly method: string;
}

/** Selects all connections of a user, or the one with the given id or session. */
export interface TargetFields {
  readonly user: string;
  readonly client: string;
  readonly session: string;
}

export interface BoolValue {
  readonly value: boolean;
}

export interface OverrideFields {
  readonly presence: BoolValue | undefined;
  readonly joinLeave: BoolValue | undefined;
  readonly forceRecovery: BoolValue | undefined;
  readonly forcePositioning: BoolValue | undefined;
  readonly forcePushJoinLeave: BoolValue | undefined;
}

export interface SubscribeRequest extends TargetFields {
  readonly channel: string;
  readonly info: Buffer | undefined;
  readonly b64info: string;
  readonly data: Buffer | undefined;
  readonly b64data: string;
  /** Unix time in seconds; 0: never. */
  readonly expireAt: number;
  readonly recoverSince: Position | undefined;
  readonly override: OverrideFields | undefined;
}

export interface UnsubscribeRequest extends TargetFields {
  readonly channel: string;
}

export interface CodeAndReason {
  readonly code: number;
  readonly reason: string;
}

export interface DisconnectRequest extends TargetFields {
  /** Ids of connections that stay open. */
  readonly whitelist: readonly string[];
  readonly disconnect: CodeAndReason | undefined;
}

export interface RefreshRequest extends TargetFields {
  readonly expired: boolean;
  /** Unix time in seconds; 0: never. */
  readonly expireAt: number;
  readonly info: Buffer | undefined;
}

/** One command of a batch: the request of one method. If there are several, the first in this order counts. */
export type BatchedCommand = { readonly [Method in keyof Requests]: Requests[Method] | undefined };

export interface BatchRequest {
  readonly commands: readonly BatchedCommand[];
  readonly parallel: boolean;
}

/** The former format of requests, before each method had a path: the body names the method. */
export interface Envelope {
  readonly id: number;
  readonly method: string;
  readonly params: Buffer | undefined;
}
