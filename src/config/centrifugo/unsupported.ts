import { flag } from './converters.js';

/** An option of Centrifugo that has no counterpart here. */
export interface Unsupported {
  /** Whether what the option is for does not work without it. */
  readonly breaks: boolean;
  /** What Carillon does instead. */
  readonly instead: string;
  /** Whether the value requests something that Carillon does not have. */
  readonly isInUse: (value: unknown) => boolean;
}

/** Whether the value requests something. A file may contain all default values of Centrifugo. */
export const isSet = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? Object.values(value).some(isSet)
    : !['', 0, '0s', undefined, null, false].includes(value as string) && flag(value) !== false;

const isEnabled = (value: unknown): boolean =>
  flag((value as { readonly enabled?: unknown } | null | undefined)?.enabled) === true;

const isOtherThan =
  (usual: string) =>
  (value: unknown): boolean =>
    value !== usual && isSet(value);

const ALWAYS_CHECKED =
  'a placeholder in the host of a key set needs a group that lists its values; elsewhere its value is encoded';
const NO_TRANSPORT = 'this transport is not available yet: use WebSocket';

const isUsed =
  (...usual: readonly unknown[]) =>
  (value: unknown): boolean =>
    isSet(value) && !usual.includes(value);

type Row = readonly [option: string, isInUse: (value: unknown) => boolean, instead: string];

/** Options without which clients or backends cannot do what the configuration is for. */
const breaking: ReadonlySet<string> = new Set([
  'http_server.tls',
  'http_server.tls_autocert',
  'broker',
  'presence_manager',
  'controller',
  'client.user_id_http_header',
  'client.insecure_skip_token_signature_verify',
  'http_api.handler_prefix',
  'grpc_api',
  'consumers',
  'websocket.handler_prefix',
  'sse',
  'http_stream',
  'uni_sse',
  'uni_http_stream',
  'uni_websocket',
  'uni_grpc',
  'webtransport',
  'health.handler_prefix',
]);

const rows: readonly Row[] = [
  ['http_server.tls', isEnabled, 'terminate TLS at a proxy'],
  ['http_server.tls_autocert', isEnabled, 'terminate TLS at a proxy'],
  ['http_server.tls_external', isSet, 'terminate TLS at a proxy'],
  ['http_server.internal_tls', isEnabled, 'terminate TLS at a proxy'],
  ['http_server.http3', isEnabled, 'only HTTP/1.1 is supported'],
  ['http_server.h2c_external', isSet, 'only HTTP/1.1 is supported'],
  ['log.file', isSet, 'the log is written to standard output'],
  ['broker', isEnabled, 'the engine is used instead'],
  ['presence_manager', isEnabled, 'the engine is used instead'],
  ['controller', isEnabled, 'the engine is used instead'],
  ['map_broker.type', isOtherThan('memory'), 'there are no map subscriptions'],
  ['shared_poll', isSet, 'there are no shared poll subscriptions'],
  ['client.user_id_http_header', isSet, 'users are identified only by their tokens'],
  ['client.token.insecure_skip_jwks_endpoint_safety_check', isSet, ALWAYS_CHECKED],
  ['client.subscription_token.insecure_skip_jwks_endpoint_safety_check', isSet, ALWAYS_CHECKED],
  ['client.insecure_skip_token_signature_verify', isSet, 'every token is verified'],
  ['client.connect_code_to_unidirectional_disconnect', isSet, NO_TRANSPORT],
  ['client.channel_position_max_time_lag', isSet, 'positions are checked without it'],
  ['http_api.handler_prefix', isOtherThan('/api'), 'the API is at /api'],
  ['grpc_api', isEnabled, 'there is no gRPC API: use the HTTP API'],
  ['consumers', isSet, 'configure queues under bus'],
  ['websocket.disabled', isSet, 'WebSocket is always enabled'],
  ['websocket.handler_prefix', isOtherThan('/connection/websocket'), 'it is at /connection/websocket'],
  ['websocket.compression', isSet, 'messages are not compressed'],
  ['sse', isEnabled, NO_TRANSPORT],
  ['http_stream', isEnabled, NO_TRANSPORT],
  ['uni_sse', isEnabled, NO_TRANSPORT],
  ['uni_http_stream', isEnabled, NO_TRANSPORT],
  ['uni_websocket', isEnabled, NO_TRANSPORT],
  ['uni_grpc', isEnabled, NO_TRANSPORT],
  ['webtransport', isEnabled, NO_TRANSPORT],
  ['admin', isEnabled, 'there is no admin web interface'],
  ['health.handler_prefix', isOtherThan('/health'), 'it is at /health'],
  ['debug', isEnabled, 'there are no profiling endpoints'],
  ['dev', isEnabled, 'there is no development page'],
  ['init', isEnabled, 'there is no init endpoint'],
  ['opentelemetry', isEnabled, 'the trace context travels with each message, but nothing is exported'],
  ['graphite', isEnabled, 'Prometheus reads the metrics from /metrics'],
  ['pid_file', isSet, 'no PID file is written'],
  ['swagger', isEnabled, 'the documentation of the API is at /docs'],
  [
    'http_api.external',
    isSet,
    'the API is on both ports: block it for the public at a proxy, if its key is not enough',
  ],
  ['client.concurrency', isUsed(1, '1'), 'the commands of one client are handled one after another'],
  ['websocket.read_buffer_size', isSet, 'buffers have no fixed size'],
  ['websocket.write_buffer_size', isSet, 'buffers have no fixed size'],
  ['websocket.use_write_buffer_pool', isSet, 'buffers have no fixed size'],
  [
    'websocket.write_timeout',
    isUsed('1s'),
    'a client that does not read is closed by the size of its outbox',
  ],
];

export const unsupported: ReadonlyMap<string, Unsupported> = new Map(
  rows.map(([option, isInUse, instead]) => [option, { isInUse, instead, breaks: breaking.has(option) }]),
);

/** Options that always have the requested effect, or have no meaning here. They are not reported. */
export const ignored: ReadonlySet<string> = new Set([
  'usage_stats',
  'health.enabled',
  'prometheus.enabled',
  'prometheus.instrument_http_handlers',
  'prometheus.native_histograms',
  'prometheus.recovered_publications_histogram',
  'node.info_metrics_aggregate_interval',
  'emulation',
  'enable_unreleased_features',
  'client.subscription_token.enabled',
  'map_broker.redis',
  'map_broker.postgres',
  'websocket.decompressed_message_size_limit',
  'websocket.compression_min_size',
  'websocket.compression_level',
  'websocket.compression_prepared_message_cache_size',
]);
