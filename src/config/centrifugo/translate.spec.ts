import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../config.errors.js';
import { loadConfig, type Loaded } from '../load.js';
import { configSchema, type Config } from '../schema.js';
import { settingsOf } from '../settings.js';
import { wellKnownVariables } from '../well-known.js';
import { counterparts } from './options.js';
import { translateCentrifugo } from './translate.js';

function load(file: string | undefined, env: Record<string, string> = {}): Loaded<Config> {
  return loadConfig({
    schema: configSchema,
    wellKnown: wellKnownVariables,
    translate: translateCentrifugo,
    argv: file === undefined ? [] : ['--config', file],
    env,
    cwd: 'test/golden',
  });
}

function translate(file: Record<string, unknown>, env: Record<string, string> = {}) {
  return translateCentrifugo(file, env);
}

describe('translateCentrifugo, from a file', () => {
  it.each(['main', 'timing', 'limits'])('accepts config-%s.json unchanged', (name) => {
    const { config, notices } = load(`config-${name}.json`);
    expect(notices.filter((notice) => !notice.includes('this transport'))).toEqual([]);
    expect(config).toMatchObject({
      server: { host: '127.0.0.1', port: 8000 },
      log: { level: 'error' },
      trigger: { apiKeys: ['api-key'] },
      gateway: { allowedOrigins: ['*'], client: { tokens: { connection: { hmacSecretKey: 'secret' } } } },
      delivery: {
        channels: { withoutNamespace: { allowSubscribeForClient: true, allowUserLimitedChannels: true } },
      },
    });
    expect(config.delivery.channels.namespaces.find((namespace) => namespace.name === 'chat')).toMatchObject({
      presence: true,
      historySize: 100,
      historyTtlMs: 300_000,
      forceRecovery: true,
    });
  });

  it('sets times and limits of clients', () => {
    expect(load('config-timing.json').config.gateway).toMatchObject({
      heartbeat: { pingIntervalMs: 2000, pongTimeoutMs: 1000 },
      client: {
        staleCloseDelayMs: 2000,
        presenceUpdateIntervalMs: 2000,
        channelPositionCheckDelayMs: 2000,
        connectIncludeServerTime: true,
        channelLimit: 10_000,
      },
    });
    expect(load('config-limits.json').config.gateway.client).toMatchObject({
      channelLimit: 2,
      userConnectionLimit: 2,
      allowAnonymousConnectWithoutToken: true,
      personalChannel: { enabled: true, namespace: 'chat' },
    });
  });

  it('reports options that are not supported, and what happens instead', () => {
    expect(load('config-centrifuge-js.json').notices).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^shared_poll is not supported/),
        'namespace streamless: subscription_type map is not supported: its channels are refused',
      ]),
    );
  });

  it('listens on the address of Centrifugo', () => {
    expect(translate({ client: {} }).file).toMatchObject({ server: { host: '0.0.0.0', port: 8000 } });
    expect(translate({ log: { level: 'debug' } }).file).toEqual({ log: { level: 'debug' } });
    expect(load('config-main.json', { PORT: '9' }).config.server.port).toBe(9);
  });

  it('accepts settings of Carillon in the same file', () => {
    const file = { http_api: { key: 'k' }, bus: { instant: { topic: 't' } }, trigger: { maxDelayMs: 5 } };
    expect(translate(file).file).toMatchObject({
      trigger: { apiKeys: ['k'], maxDelayMs: 5 },
      bus: { instant: { topic: 't' } },
    });
  });

  it('reports faults under the names of Centrifugo, together with all others', () => {
    const { file, origins } = translate({ client: { ping_interval: 'soon' }, log: { level: 'none' } });
    expect(file).toMatchObject({
      gateway: { heartbeat: { pingIntervalMs: 'soon' } },
      log: { level: 'silent' },
    });
    expect(origins.get('gateway.heartbeat.pingIntervalMs')).toMatch(/^client\.ping_interval/);
    expect(() => load(undefined, { CENTRIFUGO_CLIENT_PING_INTERVAL: 'soon' })).toThrow(ConfigError);
    expect(() => load(undefined, { CENTRIFUGO_CLIENT_PING_INTERVAL: 'soon' })).toThrow(
      'from CENTRIFUGO_CLIENT_PING_INTERVAL in the environment',
    );
  });

  it('accepts a file with every default, without a notice', () => {
    // The default configuration that Centrifugo 6.9.1 prints.
    const { config, notices } = load('config-default.json');
    expect(notices).toEqual([]);
    const { rates, ...client } = config.gateway.client;
    const { rates: ourRates, ...ours } = configSchema.parse({}).gateway.client;
    expect(client).toEqual(ours);
    // Centrifugo has no rate limits. Only refused commands have one.
    for (const rate of [rates.connection, rates.user, rates.address, config.gateway.limits.inbound])
      expect(rate.perSecond).toBe(0);
    expect(rates.refused).toEqual(ourRates.refused);
    expect(config.delivery.channels).toEqual(configSchema.parse({}).delivery.channels);
  });

  it('uses the common data format for namespaces without their own', () => {
    const namespaces = [{ name: 'a' }, { name: 'b', publication_data_format: 'binary' }];
    const { file, notices } = translate({ channel: { publication_data_format: 'json', namespaces } });
    const channels = {
      withoutNamespace: { publicationDataFormat: 'json' },
      namespaces: [
        { name: 'a', publicationDataFormat: 'json' },
        { name: 'b', publicationDataFormat: 'binary' },
      ],
    };
    expect(file).toMatchObject({ delivery: { channels } });
    expect(notices).toEqual([]);
    const fromEnv = translate({}, { CENTRIFUGO_CHANNEL_PUBLICATION_DATA_FORMAT: 'json' }).file;
    expect(fromEnv).toMatchObject({
      delivery: { channels: { withoutNamespace: { publicationDataFormat: 'json' } } },
    });
  });

  it('reports options that are in use and not supported', () => {
    const { notices } = translate({
      http_server: { tls_external: true, tls_autocert: { enabled: true } },
      rpc: { ping: { enabled: true } },
      map_broker: { type: 'postgres' },
    });
    expect(notices.map((notice) => notice.split(' ')[0])).toEqual([
      'rpc.ping',
      'http_server.tls_external',
      'http_server.tls_autocert',
      'map_broker.type',
    ]);
  });

  it('has no limit if Centrifugo has none', () => {
    const limits = { history_max_publication_limit: 0, recovery_max_publication_limit: 0 };
    const client = { historyMaxPublicationLimit: 2 ** 31 - 1, recoveryMaxPublicationLimit: 2 ** 31 - 1 };
    expect(translate({ client: limits }).file).toMatchObject({ gateway: { client } });
  });

  it('reports nothing that is disabled or empty', () => {
    const { notices } = translate({
      admin: { enabled: false, password: 'x' },
      controller: { enabled: false },
      grpc_api: { port: 10_000 },
      usage_stats: { disabled: true },
      client: {
        token: { jwks_public_endpoint: '', insecure_skip_jwks_endpoint_safety_check: false },
        subscription_token: { hmac_secret_key: 'unused' },
        channel_position_max_time_lag: '0s',
      },
      websocket: { handler_prefix: '/connection/websocket' },
      proxies: [],
    });
    expect(notices).toEqual([]);
  });

  it('reports values that are not supported', () => {
    const { notices } = translate({
      client: { tokken: {} },
      engine: { type: 'nats' },
    });
    expect(notices).toEqual(['engine.type nats is not supported: the engine is memory']);
  });

  it('serves the API without a key only on loopback', () => {
    const env = { CENTRIFUGO_HTTP_API_INSECURE: 'true' };
    const address = { CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1' };
    expect(load('config-main.json', { ...env, ...address }).config.trigger.api.insecure).toBe(true);
    expect(() => load('config-main.json', { ...env, CENTRIFUGO_HTTP_SERVER_ADDRESS: '0.0.0.0' })).toThrow(
      /trigger.api.insecure: works only if server.host is a loopback address .*from CENTRIFUGO_HTTP_API_INSECURE/,
    );
  });

  it('reports unknown options with a suggestion', () => {
    const { notices } = translate({
      client: { chanel_limit: 1, tokken: { hmac_secret_key: 'x' }, frobnicate: 1 },
      channel: {
        without_namespace: { presense: true },
        namespaces: [{ name: 'chat', alow_subscribe_for_client: true }],
      },
    });
    expect(notices).toEqual([
      'client.chanel_limit is unknown and was ignored: did you mean client.channel_limit?',
      'client.tokken.hmac_secret_key is unknown and was ignored: did you mean client.token.hmac_secret_key?',
      'client.frobnicate is unknown and was ignored',
      'channel.without_namespace: presense is unknown and was ignored: did you mean presence?',
      'namespace chat: alow_subscribe_for_client is unknown and was ignored: did you mean allow_subscribe_for_client?',
    ]);
  });

  it('reports faults of a namespace under its own names, with the notices', () => {
    const namespaces = [
      { name: 'poll', subscription_type: 'shared_poll' },
      { name: 'chat', force_recovery: true },
    ];
    const variables = { CENTRIFUGO_CHANNEL_NAMESPACES: JSON.stringify(namespaces) };
    expect(() => load(undefined, variables)).toThrow(
      /forceRecovery: needs historySize .*\(from namespace chat: force_recovery\)\n.*note: namespace poll/,
    );
  });

  it('reports the format of a duration, and a missing one', () => {
    const namespaces = [{ name: 'chat', history_size: 5 }];
    const variables = {
      CENTRIFUGO_CLIENT_PING_INTERVAL: '25',
      CENTRIFUGO_CHANNEL_NAMESPACES: JSON.stringify(namespaces),
    };
    expect(() => load(undefined, variables)).toThrow(
      /in the environment, which takes a duration such as 25s/,
    );
    expect(() => load(undefined, variables)).toThrow(/set both or none \(from namespace chat: history_ttl\)/);
  });

  it('keeps the patterns of origins', () => {
    const origins = ['https://*.example.com', '*'];
    expect(translate({ client: { allowed_origins: origins } })).toMatchObject({
      file: { gateway: { allowedOrigins: origins } },
      notices: [],
    });
  });

  it('uses other keys for subscription tokens only if they are enabled', () => {
    const tokens = (enabled: boolean) =>
      translate({
        client: { token: { hmac_secret_key: 'a' }, subscription_token: { enabled, hmac_secret_key: 'b' } },
      }).file;
    const connection = { hmacSecretKey: 'a' };
    expect(tokens(false)).toMatchObject({ gateway: { client: { tokens: { connection } } } });
    expect(JSON.stringify(tokens(false))).not.toContain('"b"');
    expect(tokens(true)).toMatchObject({
      gateway: { client: { tokens: { connection, subscription: { hmacSecretKey: 'b' } } } },
    });
  });
});

describe('translateCentrifugo, with the Redis engine', () => {
  const redis = {
    address: 'redis.example:6380',
    password: 'p@ss',
    db: 2,
    prefix: 'app',
    connect_timeout: '2s',
    tls: { enabled: true },
  };

  it('uses it for the fan-out and the lanes', () => {
    const { file, implied } = translate({ engine: { type: 'redis', redis } });
    const driver = { url: 'rediss://:p%40ss@redis.example:6380/2', keyPrefix: 'app', connectTimeoutMs: 2000 };
    expect(file).toMatchObject({ bus: { drivers: { redis: driver } }, delivery: { fanout: driver } });
    expect(implied).toMatchObject({ 'delivery.fanout.kind': 'redis' });
  });

  it('accepts every default', () => {
    const text = readFileSync('test/golden/config-default.json', 'utf8');
    const { engine } = JSON.parse(text) as { engine: object };
    const { file, notices } = translate({ engine: { ...engine, type: 'redis' } });
    expect(notices).toEqual([]);
    expect(file).toMatchObject({ delivery: { fanout: { url: 'redis://127.0.0.1:6379' } } });
    expect(file).not.toHaveProperty('delivery.fanout.sentinels');
  });

  it('reports options without a counterpart', () => {
    const { file, notices } = translate({
      engine: {
        type: 'redis',
        redis: {
          presence_ttl: '30s',
          clientname: '',
          tls: { enabled: true, insecure_skip_verify: true },
          adress: 'h:1',
        },
      },
    });
    expect(file).toMatchObject({ gateway: { client: { presenceTtlMs: 30_000 } } });
    expect(notices).toEqual([
      'engine.redis.tls.insecure_skip_verify is not supported, and was ignored',
      'engine.redis.adress is not supported, and was ignored: did you mean address?',
    ]);
  });

  it('accepts a sharded Cluster', () => {
    const sharded = { cluster_address: ['n1:7000'], sharded_pub_sub_partitions: 128 };
    const { file, notices } = translate({ engine: { type: 'redis', redis: sharded } });
    const fanout = { clusterNodes: ['n1:7000'], sharded: true, replayStreams: 64 };
    expect(file).toMatchObject({ delivery: { fanout } });
    expect(notices).toEqual([]);
  });

  it('accepts Sentinels', () => {
    const { file, notices } = translate({
      engine: { type: 'redis', redis: { sentinel_address: ['s1:26379'], sentinel_master_name: 'm' } },
    });
    expect(file).toMatchObject({ delivery: { fanout: { sentinels: ['s1:26379'], sentinelMaster: 'm' } } });
    expect(notices).toEqual([]);
  });

  it('leaves the instant lane to Kafka if that is configured', () => {
    const env = {
      CENTRIFUGO_ENGINE_TYPE: 'redis',
      CENTRIFUGO_ENGINE_REDIS_ADDRESS: 'h:1',
      KAFKA_BROKER: 'k:9092',
    };
    const { config } = load(undefined, env);
    expect(config.delivery.fanout).toMatchObject({ kind: 'redis', url: 'redis://h:1' });
    expect(config.bus.instant.driver).toBe('kafka');
    expect(config.bus.delayed.driver).toBe('redis');
  });
});

describe('translateCentrifugo, from variables', () => {
  it('sets the same as a file', () => {
    const { config, notices } = load(undefined, {
      CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: '0123',
      CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: 'https://a.example https://b.example',
      CENTRIFUGO_CLIENT_INSECURE: 'true',
      CENTRIFUGO_CLIENT_STALE_CLOSE_DELAY: '3s',
      CENTRIFUGO_HTTP_API_KEY: 'a-key-of-16-bytes',
      CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_PRESENCE: 'true',
      CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_HISTORY_SIZE: '7',
      CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_HISTORY_TTL: '60s',
      CENTRIFUGO_CHANNEL_NAMESPACES: '[{"name":"chat","presence":true}]',
    });
    expect(notices).toEqual([]);
    expect(config).toMatchObject({
      server: { host: '0.0.0.0', port: 8000 },
      trigger: { apiKeys: ['a-key-of-16-bytes'] },
      gateway: {
        allowedOrigins: ['https://a.example', 'https://b.example'],
        client: {
          insecure: true,
          staleCloseDelayMs: 3000,
          tokens: { connection: { hmacSecretKey: '0123' } },
        },
      },
      delivery: {
        channels: {
          withoutNamespace: { presence: true, historySize: 7, historyTtlMs: 60_000 },
          namespaces: [{ name: 'chat', presence: true }],
        },
      },
    });
  });

  it('prefers them to the file, and variables of Carillon to them', () => {
    const secret = (env: Record<string, string>) =>
      load('config-main.json', env).config.gateway.client.tokens.connection.hmacSecretKey;
    expect(secret({})).toBe('secret');
    expect(secret({ CENTRIFUGO_TOKEN_HMAC_SECRET_KEY: 'older' })).toBe('older');
    const both = {
      CENTRIFUGO_TOKEN_HMAC_SECRET_KEY: 'older',
      CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: 'newer',
    };
    expect(secret(both)).toBe('newer');
    expect(secret({ ...both, CARILLON_GATEWAY_CLIENT_TOKENS_CONNECTION_HMAC_SECRET_KEY: 'ours' })).toBe(
      'ours',
    );
  });

  it('reports variables that are unknown or not supported', () => {
    const { notices } = translate(
      {},
      {
        CENTRIFUGO_CLIENT_INSECUR: 'x',
        CENTRIFUGO_ADMIN_ENABLED: 'true',
      },
    );
    expect(notices).toEqual([
      expect.stringMatching(/^admin is not supported/),
      'CENTRIFUGO_CLIENT_INSECUR is unknown and was ignored: did you mean CENTRIFUGO_CLIENT_INSECURE?',
    ]);
  });
});

describe('translateCentrifugo, with namespaces in variables', () => {
  const namespaces = (env: Record<string, string>, file?: string): unknown =>
    load(file, env).config.delivery.channels.namespaces;

  it('reads a list of names, and a variable for each option', () => {
    const found = namespaces({
      CENTRIFUGO_CHANNEL_NAMESPACES: 'a a_b c-d',
      CENTRIFUGO_CHANNEL_NAMESPACES_A_PRESENCE: 't',
      CENTRIFUGO_CHANNEL_NAMESPACES_A_HISTORY_SIZE: '7',
      CENTRIFUGO_CHANNEL_NAMESPACES_A_HISTORY_TTL: '60s',
      CENTRIFUGO_CHANNEL_NAMESPACES_A_CHANNEL_REGEX: '1',
      CENTRIFUGO_CHANNEL_NAMESPACES_A_B_JOIN_LEAVE: 'TRUE',
      CENTRIFUGO_CHANNEL_NAMESPACES_C_D_PRESENCE: '1',
    });
    expect(found).toMatchObject([
      {
        name: 'a',
        presence: true,
        historySize: 7,
        historyTtlMs: 60_000,
        channelRegex: '1',
        joinLeave: false,
      },
      { name: 'a_b', presence: false, joinLeave: true },
      { name: 'c-d', presence: true },
    ]);
  });

  it('reads the list under its older name, as JSON', () => {
    expect(namespaces({ CENTRIFUGO_NAMESPACES: '[{"name":"a","presence":true}]' })).toMatchObject([
      { name: 'a', presence: true },
    ]);
  });

  it('changes a namespace of the file', () => {
    const env = { CENTRIFUGO_CHANNEL_NAMESPACES_CHAT_PRESENCE: 'f' };
    expect(namespaces(env, 'config-main.json')).toContainEqual(
      expect.objectContaining({ name: 'chat', presence: false, historySize: 100 }),
    );
  });

  it.each([
    [{ CENTRIFUGO_CHANNEL_NAMESPACES: '[{"name":' }, 'CENTRIFUGO_CHANNEL_NAMESPACES is not a JSON list'],
    [{ CENTRIFUGO_NAMESPACES: '{"a":1}' }, 'CENTRIFUGO_NAMESPACES is not a JSON list'],
    [{ CENTRIFUGO_CHANNEL_NAMESPACES_X_PRESENCE: '1' }, 'a namespace that does not exist'],
    [
      { CENTRIFUGO_CHANNEL_NAMESPACES: 'a', CENTRIFUGO_CHANNEL_NAMESPACES_A_PRESENCE: 'maybe' },
      'delivery.channels.namespaces.0.presence',
    ],
    [{ CENTRIFUGO_CLIENT_CHANNEL_LIMIT: 'many' }, 'gateway.client.channelLimit'],
  ])('faults %j', (env, words) => {
    expect(() => load(undefined, env as unknown as Record<string, string>)).toThrow(words);
  });
});

describe('translateCentrifugo, about a configuration that does not work', () => {
  it.each([
    [{ namespaces: [], token_hmac_secret_key: 'x' }, 'token_hmac_secret_key'],
    [{ engine: 'redis', redis_address: 'h:1' }, 'redis_address'],
    [{ port: 8000 }, 'port'],
  ])('faults a file of version 5: %j', (file, name) => {
    const [fault] = translate(file).faults ?? [];
    expect(fault).toContain('Centrifugo 5 or older');
    expect(fault).toContain(name);
    expect(fault).toContain('convert it first');
  });

  it('faults map subscriptions in the default namespace', () => {
    const file = { channel: { without_namespace: { subscription_type: 'map' } } };
    expect(translate(file).faults).toEqual([
      'channel.without_namespace: subscription_type map is not supported: use stream',
    ]);
  });

  it('distinguishes what does not work from what only differs', () => {
    const { notices, errors } = translate({
      sse: { enabled: 't' },
      client: { concurrency: 8 },
      rpc: { ping: { enabled: true } },
      swagger: { enabled: true },
      websocket: { write_timeout: '5s' },
      channel: {
        namespaces: [{ name: 'a', subscribe_stream_proxy_enabled: true }],
      },
    });
    const named = (list: readonly string[] = []) =>
      list.map((each) => each.split(' is ')[0] ?? '').toSorted();
    const broken = ['namespace a: subscribe_stream_proxy_enabled', 'rpc.ping', 'sse'];
    expect(named(errors)).toEqual(broken);
    expect(named(notices)).toEqual(
      [...broken, 'client.concurrency', 'swagger', 'websocket.write_timeout'].toSorted(),
    );
  });

  it('uses the default where Centrifugo does', () => {
    const zero = {
      client: { queue_max_size: 0, stale_close_delay: '0s', channel_limit: 0, pong_timeout: 0 },
      channel: { max_length: 0, history_meta_ttl: '0s' },
      websocket: { message_size_limit: 0 },
    };
    expect(translate(zero).file).toEqual(translate({ client: {} }).file);
  });

  it.each([-1, '-1', '-1s'])('sends hardly any pings for a ping_interval of %p', (interval) => {
    const { file, notices } = translate({ client: { ping_interval: interval } });
    expect(file).toMatchObject({ gateway: { heartbeat: { pingIntervalMs: 86_400_000 } } });
    expect(notices).toEqual([expect.stringContaining('pings cannot be turned off')]);
  });
});

it('translates only to settings that exist', () => {
  const keys = settingsOf(configSchema).map(({ key }) => key);
  const named = [...counterparts.values()].map(({ ours }) => ours);
  expect(named.filter((name) => !keys.includes(name))).toEqual([]);
});
