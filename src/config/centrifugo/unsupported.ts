/** An option of Centrifugo that has no counterpart here. */
export interface Unsupported {
  /** What holds instead. */
  readonly instead: string;
  /** Whether the value asks for something that is missed here. */
  readonly isMissed: (value: unknown) => boolean;
}

/** Not what Centrifugo writes for nothing, as where a file spells out its defaults. */
export const isSet = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? Object.values(value).some(isSet)
    : ![undefined, null, false, '', 0, '0s', 'false', '0'].includes(value as string);

const isEnabled = (value: unknown): boolean =>
  [true, 'true', '1'].includes((value as { readonly enabled?: string } | undefined)?.enabled ?? '');

/** Whether one of several blocks is. A variable names it in one word: `connect_enabled`. */
const hasEnabled = (value: unknown): boolean =>
  Object.entries(value ?? {}).some(([name, block]) =>
    name.endsWith('_enabled') ? isSet(block) : isEnabled(block),
  );

/** Whether something in it is switched on, or has an address. A variable names that in one word as well. */
const isInUse = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).some(([name, part]) =>
    /(?:^|_)(?:enabled|endpoint)$/.test(name) ? isSet(part) : isInUse(part),
  );

const isOtherThan =
  (usual: string) =>
  (value: unknown): boolean =>
    value !== usual && isSet(value);

const ONE_PORT =
  'everything is on one port: keep /api, /metrics and /health from the public at a proxy in front';
export const NO_PROXY = 'calls to a backend are not there yet: what they would have decided is refused';
const ONE_KEY_SET = 'the endpoint of a key set has no placeholders, so there is nothing to check';
const NO_TRANSPORT = 'this transport is not there yet: WebSocket is';

type Row = readonly [option: string, isMissed: (value: unknown) => boolean, instead: string];

const rows: readonly Row[] = [
  ['http_server.tls', isEnabled, 'TLS ends at a proxy in front'],
  ['http_server.tls_autocert', isEnabled, 'TLS ends at a proxy in front'],
  ['http_server.tls_external', isSet, 'TLS ends at a proxy in front'],
  ['http_server.internal_tls', isEnabled, ONE_PORT],
  ['http_server.internal_address', isSet, ONE_PORT],
  ['http_server.internal_port', isSet, ONE_PORT],
  ['http_server.http3', isEnabled, 'HTTP/1.1 is spoken'],
  ['http_server.h2c_external', isSet, 'HTTP/1.1 is spoken'],
  ['log.file', isSet, 'the log goes to the standard output'],
  ['broker', isEnabled, 'the engine serves for it'],
  ['presence_manager', isEnabled, 'the engine serves for it'],
  ['controller', isEnabled, 'the engine serves for it'],
  ['map_broker.type', isOtherThan('memory'), 'there are no map subscriptions'],
  ['shared_poll', isSet, 'there are no shared poll subscriptions'],
  ['client.proxy', hasEnabled, NO_PROXY],
  ['channel.proxy', isInUse, NO_PROXY],
  ['rpc', isInUse, 'there are no RPC methods: clients are answered 108'],
  ['proxies', isSet, NO_PROXY],
  ['client.user_id_http_header', isSet, 'users are known by their tokens alone'],
  ['client.token.insecure_skip_jwks_endpoint_safety_check', isSet, ONE_KEY_SET],
  ['client.subscription_token.insecure_skip_jwks_endpoint_safety_check', isSet, ONE_KEY_SET],
  ['client.insecure_skip_token_signature_verify', isSet, 'every token is verified'],
  ['client.connect_code_to_unidirectional_disconnect', isSet, NO_TRANSPORT],
  ['client.channel_position_max_time_lag', isSet, 'positions are compared without it'],
  ['http_api.insecure', isSet, 'the API wants a key: set http_api.key'],
  ['http_api.handler_prefix', isOtherThan('/api'), 'the API is at /api'],
  ['grpc_api', isEnabled, 'there is no gRPC API: use the one over HTTP'],
  ['consumers', isSet, 'queues are configured under bus'],
  ['websocket.disabled', isSet, 'WebSocket is always there'],
  ['websocket.handler_prefix', isOtherThan('/connection/websocket'), 'it is at /connection/websocket'],
  ['websocket.compression', isSet, 'messages are not compressed'],
  ['sse', isEnabled, NO_TRANSPORT],
  ['http_stream', isEnabled, NO_TRANSPORT],
  ['uni_sse', isEnabled, NO_TRANSPORT],
  ['uni_http_stream', isEnabled, NO_TRANSPORT],
  ['uni_websocket', isEnabled, NO_TRANSPORT],
  ['uni_grpc', isEnabled, NO_TRANSPORT],
  ['webtransport', isEnabled, NO_TRANSPORT],
  ['admin', isEnabled, 'there is no web page for administrators'],
  ['health.handler_prefix', isOtherThan('/health'), 'it is at /health'],
  ['debug', isEnabled, 'there are no profiling endpoints'],
  ['dev', isEnabled, 'there is no page for development'],
  ['init', isEnabled, 'there is no endpoint to prepare a connection'],
  ['opentelemetry', isEnabled, 'the trace context travels with a message, and nothing is exported'],
  ['graphite', isEnabled, 'metrics are read by Prometheus from /metrics'],
  ['pid_file', isSet, 'no file is written'],
];

export const unsupported: ReadonlyMap<string, Unsupported> = new Map(
  rows.map(([option, isMissed, instead]) => [option, { isMissed, instead }]),
);

/** Options whose wish is always granted, or without meaning here. Nothing is said about them. */
export const immaterial: ReadonlySet<string> = new Set([
  'usage_stats',
  'health.enabled',
  'prometheus.enabled',
  'prometheus.instrument_http_handlers',
  'prometheus.native_histograms',
  'prometheus.recovered_publications_histogram',
  'swagger',
  'node.info_metrics_aggregate_interval',
  'emulation',
  'enable_unreleased_features',
  'http_api.external',
  'client.concurrency',
  'client.subscription_token.enabled',
  'map_broker.redis',
  'map_broker.postgres',
  'websocket.decompressed_message_size_limit',
  'websocket.compression_min_size',
  'websocket.compression_level',
  'websocket.compression_prepared_message_cache_size',
  'websocket.read_buffer_size',
  'websocket.write_buffer_size',
  'websocket.use_write_buffer_pool',
  'websocket.write_timeout',
]);
