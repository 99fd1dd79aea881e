import { message, payload, string, strings, type Schema } from '../schema/index.js';

/** What every callback says about the connection that it is about. */
export interface CallbackClient {
  /** The id of the connection. */
  readonly client: string;
  readonly transport: string;
  /** How the client encodes its messages: `json` or `protobuf`. */
  readonly protocol: string;
  /** How data are sent in the callback: `json`, or `binary` for the fields with base64. */
  readonly encoding: string;
}

interface WithData {
  readonly data: Buffer | undefined;
  readonly b64data: string;
}

interface Identified extends CallbackClient {
  /** Empty for an anonymous client. */
  readonly user: string;
  readonly meta: Buffer | undefined;
}

export interface ConnectCallback extends CallbackClient, WithData {
  readonly name: string;
  readonly version: string;
  readonly channels: readonly string[];
}

export interface SubscribeCallback extends Identified, WithData {
  readonly channel: string;
  readonly token: string;
}

export interface PublishCallback extends Identified, WithData {
  readonly channel: string;
}

export interface SubRefreshCallback extends Identified {
  readonly channel: string;
}

export interface RpcCallback extends Identified, WithData {
  readonly method: string;
}

export interface Callbacks {
  readonly connect: ConnectCallback;
  readonly refresh: Identified;
  readonly subscribe: SubscribeCallback;
  readonly publish: PublishCallback;
  readonly subRefresh: SubRefreshCallback;
  readonly rpc: RpcCallback;
}

const client = { client: string(1), transport: string(2), protocol: string(3), encoding: string(4) };

/** The requests of Centrifugo's proxies. Field numbers: centrifugal/centrifugo, internal/proxyproto/proxy.proto. */
export const callbackSchemas: { readonly [S in keyof Callbacks]: Schema<Callbacks[S]> } = {
  connect: message<ConnectCallback>({
    ...client,
    data: payload(10),
    b64data: string(11),
    name: string(12),
    version: string(13),
    channels: strings(14),
  }),
  refresh: message<Identified>({ ...client, user: string(10), meta: payload(11) }),
  subscribe: message<SubscribeCallback>({
    ...client,
    user: string(10),
    channel: string(11),
    token: string(12),
    meta: payload(13),
    data: payload(14),
    b64data: string(15),
  }),
  publish: message<PublishCallback>({
    ...client,
    user: string(10),
    channel: string(11),
    data: payload(12),
    b64data: string(13),
    meta: payload(14),
  }),
  subRefresh: message<SubRefreshCallback>({
    ...client,
    user: string(10),
    channel: string(11),
    meta: payload(12),
  }),
  rpc: message<RpcCallback>({
    ...client,
    user: string(10),
    method: string(11),
    data: payload(12),
    b64data: string(13),
    meta: payload(14),
  }),
};

/** The data of a callback, or undefined if the client sent none. */
export function dataOf({ data, b64data }: WithData): Buffer | undefined {
  return data ?? (b64data === '' ? undefined : Buffer.from(b64data, 'base64'));
}
