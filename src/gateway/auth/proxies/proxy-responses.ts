import {
  bool,
  int64,
  map,
  message,
  one,
  payload,
  string,
  stringMap,
  strings,
  uint32,
  wideUint64,
  type Schema,
} from '../../../schema/index.js';
import type { Step } from '../attempts.js';

interface WithInfo {
  readonly info: Buffer | undefined;
  readonly b64info: string;
}

interface WithData {
  readonly data: Buffer | undefined;
  readonly b64data: string;
}

interface Switch {
  readonly value: boolean;
}

interface Override {
  readonly presence: Switch | undefined;
  readonly joinLeave: Switch | undefined;
  readonly forceRecovery: Switch | undefined;
  readonly forcePositioning: Switch | undefined;
  readonly forcePushJoinLeave: Switch | undefined;
}

export interface SubscribeResult extends WithInfo, WithData {
  readonly expireAt: number;
  readonly override: Override | undefined;
}

export interface ConnectResult extends WithInfo, WithData {
  readonly user: string;
  readonly expireAt: number;
  readonly channels: readonly string[];
  readonly subs: ReadonlyMap<string, SubscribeResult>;
  readonly meta: Buffer | undefined;
}

export interface SubRefreshResult extends WithInfo {
  readonly expired: boolean;
  readonly expireAt: number;
}

export interface RefreshResult extends SubRefreshResult {
  readonly meta: Buffer | undefined;
}

export interface PublishResult extends WithData {
  readonly skipHistory: boolean;
  readonly tags: ReadonlyMap<string, string>;
  readonly idempotencyKey: string;
  readonly delta: boolean;
  readonly version: number;
  readonly versionEpoch: string;
}

export interface ProxyResults {
  readonly connect: ConnectResult;
  readonly refresh: RefreshResult;
  readonly subscribe: SubscribeResult;
  readonly publish: PublishResult;
  readonly subRefresh: SubRefreshResult;
  readonly rpc: WithData;
}

export interface ProxyError {
  readonly code: number;
  readonly message: string;
  readonly temporary: boolean;
}

export interface ProxyDisconnect {
  readonly code: number;
  readonly reason: string;
}

/** If it has several of them, the disconnect wins over the error, and that over the result. */
export interface ProxyResponse<S extends Step> {
  readonly result: ProxyResults[S] | undefined;
  readonly error: ProxyError | undefined;
  readonly disconnect: ProxyDisconnect | undefined;
}

// Field numbers: centrifugal/centrifugo, internal/proxyproto/proxy.proto.

const switched = message<Switch>({ value: bool(1) });

const override = message<Override>({
  presence: one(1, () => switched),
  joinLeave: one(2, () => switched),
  forceRecovery: one(3, () => switched),
  forcePositioning: one(4, () => switched),
  forcePushJoinLeave: one(5, () => switched),
});

const subscribeResult = message<SubscribeResult>({
  expireAt: int64(1),
  info: payload(2),
  b64info: string(3),
  data: payload(4),
  b64data: string(5),
  override: one(6, () => override),
});

const resultSchemas: { readonly [S in Step]: Schema<ProxyResults[S]> } = {
  connect: message<ConnectResult>({
    user: string(1),
    expireAt: int64(2),
    info: payload(3),
    b64info: string(4),
    data: payload(5),
    b64data: string(6),
    channels: strings(7),
    subs: map(8, () => subscribeResult),
    meta: payload(9),
  }),
  refresh: message<RefreshResult>({
    expired: bool(1),
    expireAt: int64(2),
    info: payload(3),
    b64info: string(4),
    meta: payload(5),
  }),
  subscribe: subscribeResult,
  publish: message<PublishResult>({
    data: payload(1),
    b64data: string(2),
    skipHistory: bool(3),
    tags: stringMap(4),
    idempotencyKey: string(5),
    delta: bool(6),
    version: wideUint64(7),
    versionEpoch: string(8),
  }),
  subRefresh: message<SubRefreshResult>({
    expired: bool(1),
    expireAt: int64(2),
    info: payload(3),
    b64info: string(4),
  }),
  rpc: message<WithData>({ data: payload(1), b64data: string(2) }),
};

const proxyError = message<ProxyError>({ code: uint32(1), message: string(2), temporary: bool(3) });
const proxyDisconnect = message<ProxyDisconnect>({ code: uint32(1), reason: string(2) });

function responseOf<S extends Step>(step: S): Schema<ProxyResponse<S>> {
  const schema = message<ProxyResponse<Step>>({
    result: one(1, () => resultSchemas[step] as Schema<ProxyResults[Step]>),
    error: one(2, () => proxyError),
    disconnect: one(3, () => proxyDisconnect),
  });
  return schema as unknown as Schema<ProxyResponse<S>>;
}

export const proxyResponseSchemas: { readonly [S in Step]: Schema<ProxyResponse<S>> } = {
  connect: responseOf('connect'),
  refresh: responseOf('refresh'),
  subscribe: responseOf('subscribe'),
  publish: responseOf('publish'),
  subRefresh: responseOf('subRefresh'),
  rpc: responseOf('rpc'),
};
