import { message, payload, string, strings, type Schema } from '../../../schema/index.js';
import type { Step } from '../attempts.js';

/** What every request says about the connection that it is about. */
export interface ProxyClient {
  /** The id of the connection. */
  readonly client: string;
  readonly transport: string;
  /** How the client encodes its messages: `json` or `protobuf`. */
  readonly protocol: string;
  /** How data are sent to the backend: `json`, or `binary` for the fields with base64. */
  readonly encoding: string;
}

export interface WithData {
  readonly data: Buffer | undefined;
  readonly b64data: string;
}

interface Identified extends ProxyClient {
  /** Empty for an anonymous client. */
  readonly user: string;
  readonly meta: Buffer | undefined;
}

export interface ConnectRequest extends ProxyClient, WithData {
  readonly name: string;
  readonly version: string;
  readonly channels: readonly string[];
}

export interface SubscribeRequest extends Identified, WithData {
  readonly channel: string;
  readonly token: string;
}

export interface PublishRequest extends Identified, WithData {
  readonly channel: string;
}

export interface SubRefreshRequest extends Identified {
  readonly channel: string;
}

export interface RpcRequest extends Identified, WithData {
  readonly method: string;
}

/** The requests of Centrifugo's proxies to a backend. */
export interface ProxyRequests extends Record<Step, ProxyClient> {
  readonly connect: ConnectRequest;
  readonly refresh: Identified;
  readonly subscribe: SubscribeRequest;
  readonly publish: PublishRequest;
  readonly subRefresh: SubRefreshRequest;
  readonly rpc: RpcRequest;
}

const client = { client: string(1), transport: string(2), protocol: string(3), encoding: string(4) };

/** Field numbers: centrifugal/centrifugo, internal/proxyproto/proxy.proto. */
export const proxyRequestSchemas: { readonly [S in Step]: Schema<ProxyRequests[S]> } = {
  connect: message<ConnectRequest>({
    ...client,
    data: payload(10),
    b64data: string(11),
    name: string(12),
    version: string(13),
    channels: strings(14),
  }),
  refresh: message<Identified>({ ...client, user: string(10), meta: payload(11) }),
  subscribe: message<SubscribeRequest>({
    ...client,
    user: string(10),
    channel: string(11),
    token: string(12),
    meta: payload(13),
    data: payload(14),
    b64data: string(15),
  }),
  publish: message<PublishRequest>({
    ...client,
    user: string(10),
    channel: string(11),
    data: payload(12),
    b64data: string(13),
    meta: payload(14),
  }),
  subRefresh: message<SubRefreshRequest>({
    ...client,
    user: string(10),
    channel: string(11),
    meta: payload(12),
  }),
  rpc: message<RpcRequest>({
    ...client,
    user: string(10),
    method: string(11),
    data: payload(12),
    b64data: string(13),
    meta: payload(14),
  }),
};
