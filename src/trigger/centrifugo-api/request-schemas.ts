import {
  bool,
  described,
  int32,
  list,
  message,
  one,
  payload,
  string,
  stringMap,
  strings,
  uint32,
  wideInt64,
  wideUint64,
  type Schema,
} from '../../schema/index.js';
import type {
  BatchRequest,
  BatchedCommand,
  BoolValue,
  BroadcastRequest,
  ChannelRequest,
  ChannelsRequest,
  CodeAndReason,
  DisconnectRequest,
  Envelope,
  HistoryRequest,
  OverrideFields,
  Position,
  PublishRequest,
  RefreshRequest,
  Requests,
  RpcRequest,
  SubscribeRequest,
  UnsubscribeRequest,
} from './requests.js';

// Field numbers: centrifugal/centrifugo, internal/apiproto/api.proto.

/** The number of a field that only this server has. */
const OURS = 0;

const position = message<Position>({ offset: wideUint64(1), epoch: string(2) });

const duration = { anyOf: [{ type: 'integer' }, { type: 'string' }], example: 'PT3S' };

const publicationFields = {
  data: described(payload(2), 'Any JSON. It is forwarded byte for byte.', { example: { text: 'Hello' } }),
  b64data: described(string(3), 'Instead of data: any bytes, in base64.'),
  skipHistory: described(bool(4), 'Do not add the publication to the history.'),
  tags: described(stringMap(5), 'Tags by which clients can filter.'),
  idempotencyKey: described(
    string(6),
    'A second publication with the same key in the channel is not sent and returns the same result.',
  ),
  delta: described(
    bool(7),
    'Send the difference to the previous publication to subscribers that requested it.',
  ),
  version: described(
    wideUint64(8),
    'Send the publication only if this is higher than the last version in the history.',
  ),
  versionEpoch: described(string(9), 'Versions of different epochs are not compared.'),
  delay: described(payload(OURS), 'Delay: whole milliseconds, or an ISO 8601 duration.', duration),
  deliverAt: described(payload(OURS), 'Due time, instead of delay: RFC 3339.', {
    type: 'string',
    format: 'date-time',
  }),
  expiresIn: described(
    payload(OURS),
    'Time from now after which the message is dropped if it was not delivered. Same format as delay.',
    duration,
  ),
  via: described(payload(OURS), 'direct: straight to the subscribers. bus: through the instant lane.', {
    type: 'string',
    enum: ['direct', 'bus'],
    default: 'direct',
  }),
};

const channelRequest = message<ChannelRequest>({ channel: string(1) });

const boolValue = message<BoolValue>({ value: bool(1) });

const overrideFields = message<OverrideFields>({
  presence: one(1, () => boolValue),
  joinLeave: one(2, () => boolValue),
  forceRecovery: one(3, () => boolValue),
  forcePositioning: one(4, () => boolValue),
  forcePushJoinLeave: one(5, () => boolValue),
});

const codeAndReason = message<CodeAndReason>({ code: int32(1), reason: string(2) });

export const requestSchemas: { readonly [Method in keyof Requests]: Schema<Requests[Method]> } = {
  publish: message<PublishRequest>({ channel: string(1), ...publicationFields }),
  broadcast: message<BroadcastRequest>({ channels: strings(1), ...publicationFields }),
  subscribe: message<SubscribeRequest>({
    channel: string(1),
    user: string(2),
    expireAt: wideInt64(3),
    info: payload(4),
    b64info: string(5),
    client: string(6),
    data: payload(7),
    b64data: string(8),
    recoverSince: one(9, () => position),
    override: one(10, () => overrideFields),
    session: string(11),
  }),
  unsubscribe: message<UnsubscribeRequest>({
    channel: string(1),
    user: string(2),
    client: string(3),
    session: string(4),
  }),
  disconnect: message<DisconnectRequest>({
    user: string(1),
    disconnect: one(2, () => codeAndReason),
    client: string(3),
    whitelist: strings(4),
    session: string(5),
  }),
  presence: channelRequest,
  presence_stats: channelRequest,
  history: message<HistoryRequest>({
    channel: string(1),
    limit: int32(2),
    since: one(3, () => position),
    reverse: bool(4),
  }),
  history_remove: channelRequest,
  info: message<object>({}),
  rpc: message<RpcRequest>({ method: string(1) }),
  refresh: message<RefreshRequest>({
    user: string(1),
    client: string(2),
    expired: bool(3),
    expireAt: wideInt64(4),
    info: payload(5),
    session: string(6),
  }),
  channels: message<ChannelsRequest>({ pattern: string(1) }),
};

export const batchedCommand = message<BatchedCommand>({
  publish: one(4, () => requestSchemas.publish),
  broadcast: one(5, () => requestSchemas.broadcast),
  subscribe: one(6, () => requestSchemas.subscribe),
  unsubscribe: one(7, () => requestSchemas.unsubscribe),
  disconnect: one(8, () => requestSchemas.disconnect),
  presence: one(9, () => requestSchemas.presence),
  presence_stats: one(10, () => requestSchemas.presence_stats),
  history: one(11, () => requestSchemas.history),
  history_remove: one(12, () => requestSchemas.history_remove),
  info: one(13, () => requestSchemas.info),
  rpc: one(14, () => requestSchemas.rpc),
  refresh: one(15, () => requestSchemas.refresh),
  channels: one(16, () => requestSchemas.channels),
});

export const batchRequest = message<BatchRequest>({
  commands: list(1, () => batchedCommand),
  parallel: bool(2),
});

export const envelope = message<Envelope>({ id: uint32(OURS), method: string(OURS), params: payload(OURS) });
