import {
  described,
  flag,
  int32,
  int64,
  listOf,
  optional,
  raw,
  record,
  text,
  textMap,
  uint64,
  value,
} from './fields.js';

/** The requests of the API. Their names in JSON are the same in snake_case. */

const position = optional(record<Position>({ offset: uint64, epoch: text }));

export interface Position {
  readonly offset: number;
  readonly epoch: string;
}

/** What publish and broadcast have in common. */
export interface PublicationFields {
  readonly data: Buffer | undefined;
  /** Base64. Wins over `data`. */
  readonly b64data: string;
  readonly skipHistory: boolean;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly idempotencyKey: string;
  readonly delta: boolean;
  readonly version: number;
  readonly versionEpoch: string;
  /** From here on what only this server has: when it is to arrive, and which way it takes. */
  readonly delay: unknown;
  readonly deliverAt: unknown;
  readonly expiresIn: unknown;
  readonly via: unknown;
}

const duration = { anyOf: [{ type: 'integer' }, { type: 'string' }], example: 'PT3S' };

const publicationFields = {
  data: described(raw, 'Any JSON; arrives as it is.', { example: { text: 'Hello' } }),
  b64data: described(text, 'In the place of data: any bytes, in base64.'),
  skipHistory: described(flag, 'Sent, but not kept in the history.'),
  tags: described(textMap, 'By which clients may filter.'),
  idempotencyKey: described(
    text,
    'The same key again in the channel sends nothing, and gives the same answer.',
  ),
  delta: described(flag, 'Subscribers that asked for it get the difference from the publication before.'),
  version: described(uint64, 'Not sent unless above the last version in the history.'),
  versionEpoch: described(text, 'Versions of another epoch are not compared.'),
  delay: described(value, 'Sent that much later: whole milliseconds, or an ISO 8601 duration.', duration),
  deliverAt: described(value, 'Sent then: RFC 3339.', { type: 'string', format: 'date-time' }),
  expiresIn: described(value, 'Dropped if it was not delivered by then; in the form of delay.', duration),
  via: described(value, 'Straight to delivery, or by the instant lane.', {
    type: 'string',
    enum: ['direct', 'bus'],
    default: 'direct',
  }),
};

export interface PublishRequest extends PublicationFields {
  readonly channel: string;
}
export const publishRequest = record<PublishRequest>({ channel: text, ...publicationFields });

export interface BroadcastRequest extends PublicationFields {
  readonly channels: readonly string[];
}
export const broadcastRequest = record<BroadcastRequest>({ channels: listOf(text), ...publicationFields });

export interface ChannelRequest {
  readonly channel: string;
}
export const channelRequest = record<ChannelRequest>({ channel: text });

export interface HistoryRequest extends ChannelRequest {
  readonly limit: number;
  readonly since: Position | undefined;
  readonly reverse: boolean;
}
export const historyRequest = record<HistoryRequest>({
  channel: text,
  limit: int32,
  since: position,
  reverse: flag,
});

export interface ChannelsRequest {
  readonly pattern: string;
}
export const channelsRequest = record<ChannelsRequest>({ pattern: text });

export interface RpcRequest {
  readonly method: string;
}
export const rpcRequest = record<RpcRequest>({ method: text });

export const infoRequest = record<object>({});

/** Whose connections are meant: all of a user, or of these the one with the given id or session. */
const target = { user: text, client: text, session: text };

export interface TargetFields {
  readonly user: string;
  readonly client: string;
  readonly session: string;
}

const overridden = optional(record<{ readonly value: boolean }>({ value: flag }));

export interface OverrideFields {
  readonly presence: { readonly value: boolean } | undefined;
  readonly joinLeave: { readonly value: boolean } | undefined;
  readonly forcePushJoinLeave: { readonly value: boolean } | undefined;
  readonly forceRecovery: { readonly value: boolean } | undefined;
  readonly forcePositioning: { readonly value: boolean } | undefined;
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
export const subscribeRequest = record<SubscribeRequest>({
  ...target,
  channel: text,
  info: raw,
  b64info: text,
  data: raw,
  b64data: text,
  expireAt: int64,
  recoverSince: position,
  override: optional(
    record<OverrideFields>({
      presence: overridden,
      joinLeave: overridden,
      forcePushJoinLeave: overridden,
      forceRecovery: overridden,
      forcePositioning: overridden,
    }),
  ),
});

export interface UnsubscribeRequest extends TargetFields {
  readonly channel: string;
}
export const unsubscribeRequest = record<UnsubscribeRequest>({ ...target, channel: text });

export interface DisconnectRequest extends TargetFields {
  /** Ids of connections that are spared. */
  readonly whitelist: readonly string[];
  readonly disconnect: { readonly code: number; readonly reason: string } | undefined;
}
export const disconnectRequest = record<DisconnectRequest>({
  ...target,
  whitelist: listOf(text),
  disconnect: optional(
    record<{ readonly code: number; readonly reason: string }>({ code: int32, reason: text }),
  ),
});

export interface RefreshRequest extends TargetFields {
  readonly expired: boolean;
  /** Unix time in seconds; 0: never. */
  readonly expireAt: number;
  readonly info: Buffer | undefined;
}
export const refreshRequest = record<RefreshRequest>({
  ...target,
  expired: flag,
  expireAt: int64,
  info: raw,
});
