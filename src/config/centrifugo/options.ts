import {
  address,
  duration,
  flag,
  list,
  logLevel,
  negated,
  number,
  pingInterval,
  single,
  text,
  unlimited,
  type Convert,
} from './converters.js';

export interface Counterpart {
  /** The dotted name of our setting. */
  readonly ours: string;
  readonly convert: Convert;
}

type Row = readonly [theirs: string, ours: string, convert: Convert];

const token = (theirs: string, ours: string): Row[] => [
  [`${theirs}.hmac_secret_key`, `${ours}.hmacSecretKey`, text],
  [`${theirs}.hmac_previous_secret_key`, `${ours}.hmacPreviousSecretKey`, text],
  [`${theirs}.hmac_previous_secret_key_valid_until`, `${ours}.hmacPreviousSecretKeyValidUntil`, number],
  [`${theirs}.rsa_public_key`, `${ours}.rsaPublicKey`, text],
  [`${theirs}.ecdsa_public_key`, `${ours}.ecdsaPublicKey`, text],
  [`${theirs}.jwks_public_endpoint`, `${ours}.jwks.endpoint`, text],
  [`${theirs}.audience`, `${ours}.audience`, text],
  [`${theirs}.audience_regex`, `${ours}.audienceRegex`, text],
  [`${theirs}.issuer`, `${ours}.issuer`, text],
  [`${theirs}.issuer_regex`, `${ours}.issuerRegex`, text],
  [`${theirs}.user_id_claim`, `${ours}.userIdClaim`, text],
];

const client = (theirs: string, ours: string, convert: Convert): Row => [
  `client.${theirs}`,
  `gateway.client.${ours}`,
  convert,
];

const rows: readonly Row[] = [
  ['http_server.address', 'server.host', address],
  ['http_server.port', 'server.port', number],
  ['http_server.internal_port', 'server.http.internal.port', number],
  ['http_server.internal_address', 'server.http.internal.host', text],
  ['log.level', 'log.level', logLevel],
  ['node.name', 'delivery.nodeName', text],
  ['shutdown.timeout', 'server.shutdown.timeoutMs', duration],
  ['prometheus.handler_prefix', 'metrics.path', text],
  ['http_api.key', 'trigger.apiKeys', single],
  ['http_api.disabled', 'trigger.api.enabled', negated],
  ['http_api.insecure', 'trigger.api.insecure', flag],
  ['http_api.error_mode', 'trigger.api.errorMode', text],
  ['websocket.message_size_limit', 'gateway.maxMessageBytes', number],
  ['client.allowed_origins', 'gateway.allowedOrigins', list],
  ['client.ping_interval', 'gateway.heartbeat.pingIntervalMs', pingInterval],
  ['client.pong_timeout', 'gateway.heartbeat.pongTimeoutMs', duration],
  ['client.queue_max_size', 'gateway.outboxMaxBytes', number],
  ['client.connection_limit', 'gateway.limits.connections', number],
  ['client.connection_rate_limit', 'gateway.limits.handshakes.perSecond', number],
  ...token('client.token', 'gateway.client.tokens.connection'),
  ...token('client.subscription_token', 'gateway.client.tokens.subscription'),
  client('allow_anonymous_connect_without_token', 'allowAnonymousConnectWithoutToken', flag),
  client('disallow_anonymous_connection_tokens', 'disallowAnonymousConnectionTokens', flag),
  client('insecure', 'insecure', flag),
  client('connect_include_server_time', 'connectIncludeServerTime', flag),
  client('stale_close_delay', 'staleCloseDelayMs', duration),
  client('expired_close_delay', 'expiredCloseDelayMs', duration),
  client('expired_sub_close_delay', 'expiredSubCloseDelayMs', duration),
  client('presence_update_interval', 'presenceUpdateIntervalMs', duration),
  client('channel_position_check_delay', 'channelPositionCheckDelayMs', duration),
  client('channel_limit', 'channelLimit', number),
  client('user_connection_limit', 'userConnectionLimit', number),
  client('history_max_publication_limit', 'historyMaxPublicationLimit', unlimited),
  client('recovery_max_publication_limit', 'recoveryMaxPublicationLimit', unlimited),
  client('subscribe_to_user_personal_channel.enabled', 'personalChannel.enabled', flag),
  client('subscribe_to_user_personal_channel.personal_channel_namespace', 'personalChannel.namespace', text),
  client('subscribe_to_user_personal_channel.single_connection', 'personalChannel.singleConnection', flag),
  ['channel.max_length', 'delivery.channels.maxLength', number],
  ['channel.history_meta_ttl', 'delivery.channels.historyMetaTtlMs', duration],
  ['channel.private_prefix', 'delivery.channels.privatePrefix', text],
  ['channel.namespace_boundary', 'delivery.channels.namespaceBoundary', text],
  ['channel.user_boundary', 'delivery.channels.userBoundary', text],
  ['channel.user_separator', 'delivery.channels.userSeparator', text],
];

/** The options that both products have, by their names in Centrifugo. Namespaces and the engine are translated in other files. */
export const counterparts: ReadonlyMap<string, Counterpart> = new Map(
  rows.map(([theirs, ours, convert]) => [theirs, { ours, convert }]),
);

/** Options for which 0 means the default in Centrifugo. Our default applies then. */
export const zeroMeansDefault: ReadonlySet<string> = new Set([
  'client.token.hmac_previous_secret_key_valid_until',
  'client.subscription_token.hmac_previous_secret_key_valid_until',
  'http_server.internal_port',
  'client.connection_limit',
  'client.connection_rate_limit',
  'client.queue_max_size',
  'client.channel_limit',
  'client.ping_interval',
  'client.pong_timeout',
  'client.stale_close_delay',
  'client.expired_close_delay',
  'client.expired_sub_close_delay',
  'client.presence_update_interval',
  'client.channel_position_check_delay',
  'channel.max_length',
  'channel.history_meta_ttl',
  'websocket.message_size_limit',
  'shutdown.timeout',
]);

/** Options by the names that their variables had before Centrifugo 6. */
export const olderVariables: ReadonlyMap<string, string> = new Map([
  ['CENTRIFUGO_TOKEN_HMAC_SECRET_KEY', 'client.token.hmac_secret_key'],
  ['CENTRIFUGO_TOKEN_RSA_PUBLIC_KEY', 'client.token.rsa_public_key'],
  ['CENTRIFUGO_TOKEN_ECDSA_PUBLIC_KEY', 'client.token.ecdsa_public_key'],
  ['CENTRIFUGO_TOKEN_JWKS_PUBLIC_ENDPOINT', 'client.token.jwks_public_endpoint'],
  ['CENTRIFUGO_ALLOWED_ORIGINS', 'client.allowed_origins'],
  ['CENTRIFUGO_API_KEY', 'http_api.key'],
  ['CENTRIFUGO_ADDRESS', 'http_server.address'],
  ['CENTRIFUGO_PORT', 'http_server.port'],
  ['CENTRIFUGO_LOG_LEVEL', 'log.level'],
]);
