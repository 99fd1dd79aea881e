import type {
  ChannelRequest,
  ConnectRequest,
  FilterNode,
  HistoryRequest,
  KeyedItem,
  Method,
  PublishRequest,
  RefreshRequest,
  Requests,
  RpcRequest,
  SendRequest,
  StreamPosition,
  SubRefreshRequest,
  SubscribeRequest,
  TrackBatch,
} from './commands.js';
import {
  bool,
  int32,
  int64,
  list,
  map,
  message,
  one,
  payload,
  string,
  stringMap,
  strings,
  uint64,
  type Schema,
} from '../../../../schema/index.js';

// Field numbers: centrifugal/protocol, definitions/client.proto.

const filterNode: Schema<FilterNode> = message<FilterNode>({
  op: string(1),
  key: string(2),
  cmp: string(3),
  val: string(4),
  vals: strings(5),
  nodes: list(6, () => filterNode),
});

const subscribeRequest = message<SubscribeRequest>({
  channel: string(1),
  token: string(2),
  recover: bool(3),
  epoch: string(6),
  offset: uint64(7),
  data: payload(8),
  positioned: bool(9),
  recoverable: bool(10),
  joinLeave: bool(11),
  delta: string(12),
  tf: one(13, () => filterNode),
  flag: int64(14),
  type: int32(15),
  phase: int32(16),
  cursor: string(17),
  limit: int32(18),
  asc: bool(19),
});

const keyedItem = message<KeyedItem>({ key: string(1), version: uint64(2) });
const trackBatch = message<TrackBatch>({ signature: string(1), items: list(2, () => keyedItem) });
const streamPosition = message<StreamPosition>({ offset: uint64(1), epoch: string(2) });
const channelRequest = message<ChannelRequest>({ channel: string(1) });

interface RequestEntry<M extends Method = Method> {
  readonly method: M;
  /** The number of the request in the Protobuf message Command. */
  readonly no: number;
  readonly schema: Schema<Requests[M]>;
}

function request<M extends Method>(method: M, no: number, schema: Schema<Requests[M]>): RequestEntry {
  return { method, no, schema };
}

/** All requests. If a command contains several, the first one in this order is executed. */
export const requests: readonly RequestEntry[] = [
  request(
    'connect',
    4,
    message<ConnectRequest>({
      token: string(1),
      data: payload(2),
      subs: map(3, () => subscribeRequest),
      name: string(4),
      version: string(5),
      headers: stringMap(6),
      flag: int64(7),
    }),
  ),
  request('subscribe', 5, subscribeRequest),
  request('unsubscribe', 6, channelRequest),
  request(
    'publish',
    7,
    message<PublishRequest>({
      channel: string(1),
      data: payload(2),
      type: int32(3),
      key: string(4),
      removed: bool(5),
    }),
  ),
  request('presence', 8, channelRequest),
  request('presenceStats', 9, channelRequest),
  request(
    'history',
    10,
    message<HistoryRequest>({
      channel: string(1),
      limit: int32(7),
      since: one(8, () => streamPosition),
      reverse: bool(9),
    }),
  ),
  request('rpc', 13, message<RpcRequest>({ data: payload(1), method: string(2) })),
  request('send', 12, message<SendRequest>({ data: payload(1) })),
  request('refresh', 14, message<RefreshRequest>({ token: string(1) })),
  request(
    'subRefresh',
    15,
    message<SubRefreshRequest>({
      channel: string(1),
      token: string(2),
      type: int32(3),
      track: list(4, () => trackBatch),
      untrack: strings(5),
    }),
  ),
];
