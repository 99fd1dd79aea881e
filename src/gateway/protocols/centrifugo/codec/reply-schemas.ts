import type { ReplyError } from '../centrifugo.errors.js';
import type {
  AnsweredMethod,
  ClientInfo,
  ClientInfoPush,
  CodeAndReason,
  ConnectResult,
  EmptyResult,
  Expiry,
  HistoryResult,
  MessagePush,
  PresenceResult,
  PresenceStatsResult,
  Publication,
  Pushes,
  PushKind,
  RefreshResult,
  Results,
  RpcResult,
  SubRefreshResult,
  SubscribePush,
  SubscribeResult,
} from './replies.js';
import {
  always,
  bool,
  int32,
  int64,
  list,
  map,
  message,
  one,
  payload,
  sint64,
  string,
  stringMap,
  uint32,
  uint64,
  type Schema,
} from '../../../../schema/index.js';

// Field numbers: centrifugal/protocol, definitions/client.proto. Fields are `always` written if Centrifugo was observed to write them,
// or if they have no omitempty in its generated Go types.

export const replyError = message<ReplyError>({ code: uint32(1), message: string(2), temporary: bool(3) });

const clientInfo = message<ClientInfo>({
  user: always(string(1)),
  client: always(string(2)),
  connInfo: payload(3),
  chanInfo: payload(4),
});

export const publication = message<Publication>({
  data: payload(4),
  info: one(5, () => clientInfo),
  offset: uint64(6),
  tags: stringMap(7),
  delta: bool(8),
  time: int64(9),
  channel: string(10),
  key: string(11),
  removed: bool(12),
  score: sint64(13),
  epoch: string(14),
  prevData: payload(15),
  version: uint64(16),
});

const subscribeResult = message<SubscribeResult>({
  expires: bool(1),
  ttl: uint32(2),
  recoverable: bool(3),
  epoch: string(6),
  publications: list(7, () => publication),
  recovered: bool(8),
  offset: uint64(9),
  positioned: bool(10),
  data: payload(11),
  wasRecovering: bool(12),
  delta: bool(13),
  id: int64(14),
  type: int32(15),
  phase: int32(16),
  cursor: string(17),
  state: list(18, () => publication),
  publishDebounce: uint32(19),
});

const connectResult = message<ConnectResult>({
  client: string(1),
  version: string(2),
  expires: bool(3),
  ttl: uint32(4),
  data: payload(5),
  subs: map(6, () => subscribeResult),
  ping: uint32(7),
  pong: bool(8),
  session: string(9),
  node: string(10),
  time: int64(11),
});

const connectPush = message<ConnectResult>({
  client: string(1),
  version: string(2),
  data: payload(3),
  subs: map(4, () => subscribeResult),
  expires: bool(5),
  ttl: uint32(6),
  ping: uint32(7),
  pong: bool(8),
  session: string(9),
  node: string(10),
  time: int64(11),
});

const clientInfoPush = message<ClientInfoPush>({ info: one(1, () => clientInfo) });
const empty = message<EmptyResult>({});

/** The field of a result or a push in the message that contains it. */
export interface Slot<T> {
  readonly no: number;
  readonly schema: Schema<T>;
}

export const results: { readonly [M in AnsweredMethod]: Slot<Results[M]> } = {
  connect: { no: 5, schema: connectResult },
  subscribe: { no: 6, schema: subscribeResult },
  unsubscribe: { no: 7, schema: empty },
  publish: { no: 8, schema: empty },
  presence: {
    no: 9,
    schema: message<PresenceResult>({ presence: always(map(1, () => clientInfo)) }),
  },
  presenceStats: {
    no: 10,
    schema: message<PresenceStatsResult>({ numClients: always(uint32(1)), numUsers: always(uint32(2)) }),
  },
  history: {
    no: 11,
    schema: message<HistoryResult>({
      publications: always(list(1, () => publication)),
      epoch: always(string(2)),
      offset: always(uint64(3)),
    }),
  },
  rpc: { no: 13, schema: message<RpcResult>({ data: payload(1) }) },
  refresh: {
    no: 14,
    schema: message<RefreshResult>({
      client: string(1),
      version: string(2),
      expires: bool(3),
      ttl: uint32(4),
    }),
  },
  subRefresh: {
    no: 15,
    schema: message<SubRefreshResult>({
      expires: bool(1),
      ttl: uint32(2),
      items: list(3, () => publication),
    }),
  },
};

export const pushes: { readonly [K in PushKind]: Slot<Pushes[K]> } = {
  pub: { no: 4, schema: publication },
  join: { no: 5, schema: clientInfoPush },
  leave: { no: 6, schema: clientInfoPush },
  unsubscribe: { no: 7, schema: message<CodeAndReason>({ code: uint32(2), reason: string(3) }) },
  message: { no: 8, schema: message<MessagePush>({ data: payload(1) }) },
  subscribe: {
    no: 9,
    schema: message<SubscribePush>({
      recoverable: bool(1),
      epoch: string(4),
      offset: uint64(5),
      positioned: bool(6),
      data: payload(7),
    }),
  },
  connect: { no: 10, schema: connectPush },
  disconnect: { no: 11, schema: message<CodeAndReason>({ code: uint32(1), reason: string(2) }) },
  refresh: { no: 12, schema: message<Expiry>({ expires: bool(1), ttl: uint32(2) }) },
};
