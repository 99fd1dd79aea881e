import { didYouMean } from '../did-you-mean.js';
import { wellKnownVariables } from '../well-known.js';
import { duration, list } from './converters.js';

type Tree = Readonly<Record<string, unknown>>;

export interface TranslatedEngine {
  /** Our settings by their dotted names. */
  readonly settings: ReadonlyMap<string, unknown>;
  /** Values for settings that have no value otherwise. */
  readonly implied: Readonly<Record<string, string>>;
  readonly notices: readonly string[];
  /** Notices about what does not work. */
  readonly errors: readonly string[];
}

/** The options of `engine.redis` that are translated. */
export const redisOptions: readonly string[] = [
  'address',
  'prefix',
  'user',
  'password',
  'db',
  'connect_timeout',
  'io_timeout',
  'presence_ttl',
  'cluster_address',
  'sharded_pub_sub_partitions',
  'sentinel_address',
  'sentinel_master_name',
  'sentinel_user',
  'sentinel_password',
  'tls.enabled',
  'sentinel_tls.enabled',
];

/** The maximum of `delivery.fanout.replayStreams`. */
const MAX_STREAMS = 64;

const NOTHING: TranslatedEngine = { settings: new Map(), implied: {}, notices: [], errors: [] };

/**
 * Translates the engine. The memory engine is our default. The Redis engine has the effect of `REDIS_URL`: its server serves the
 * fan-out and the lanes.
 */
export function translateEngine(engine: Tree): TranslatedEngine {
  const { type = 'memory', redis = {} } = engine;
  if (type === 'memory') return NOTHING;
  if (type !== 'redis')
    return { ...NOTHING, errors: [`engine.type ${String(type)} is not supported: the engine is memory`] };
  const { driver, notices } = translateRedis(redis as Tree);
  const settings = new Map<string, unknown>(shardingOf(redis as Tree));
  for (const place of ['bus.drivers.redis', 'delivery.fanout'])
    for (const [name, value] of Object.entries(driver))
      if (value !== undefined) settings.set(`${place}.${name}`, value);
  const ttl = present((redis as Tree).presence_ttl);
  if (ttl !== undefined) settings.set('gateway.client.presenceTtlMs', duration(ttl));
  return { settings, implied: wellKnownVariables['REDIS_URL']?.implies ?? {}, notices, errors: [] };
}

function translateRedis(redis: Tree): { readonly driver: Tree; readonly notices: readonly string[] } {
  const addresses = addressesOf(redis.address);
  const driver = {
    url: urlOf(addresses[0] ?? 'redis://127.0.0.1:6379', redis),
    sentinels: present(list(redis.sentinel_address)),
    sentinelMaster: present(redis.sentinel_master_name),
    sentinelPassword: present(redis.sentinel_password),
    clusterNodes: present(list(redis.cluster_address)),
    keyPrefix: present(redis.prefix),
    connectTimeoutMs: present(duration(redis.connect_timeout)) || undefined,
    commandTimeoutMs: present(duration(redis.io_timeout)) || undefined,
  };
  const notices = [
    ...(addresses.length > 1
      ? [
          'engine.redis.address names several servers: only the first one is used, because channels are not sharded over servers',
        ]
      : []),
    ...(isOn(redis.sentinel_tls)
      ? ['engine.redis.sentinel_tls is not supported: connections to Sentinels are not encrypted']
      : []),
    ...(typeof redis.sentinel_user === 'string' && redis.sentinel_user !== ''
      ? ['engine.redis.sentinel_user is not supported: only the password is sent to Sentinels']
      : []),
    ...leavesOf(redis)
      .filter((name) => !redisOptions.includes(name))
      .map(
        (name) => `engine.redis.${name} is not supported, and was ignored${didYouMean(name, redisOptions)}`,
      ),
  ];
  return { driver, notices };
}

/** Returns the dotted names of the options in a tree that have a value. */
function leavesOf(tree: Tree): string[] {
  return Object.entries(tree).flatMap(([name, value]) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return leavesOf(value as Tree).map((leaf) => `${name}.${leaf}`);
    return present(value) === undefined || value === false || value === 0 ? [] : [name];
  });
}

/** Centrifugo partitions the channels too when it shards them over a Cluster. */
function shardingOf({ sharded_pub_sub_partitions: partitions }: Tree): [name: string, value: unknown][] {
  if (typeof partitions !== 'number' || partitions <= 0) return [];
  return [
    ['delivery.fanout.sharded', true],
    ['delivery.fanout.replayStreams', Math.min(partitions, MAX_STREAMS)],
  ];
}

function addressesOf(address: unknown): readonly string[] {
  const addresses = list(address ?? []);
  return Array.isArray(addresses) ? addresses.map(String) : [];
}

/** Joins the address and the options beside it to one URL. An invalid address is returned unchanged, so that the schema reports it. */
function urlOf(address: string, { user, password, db, tls }: Tree): string {
  const text = /^rediss?:\/\//.test(address) ? address : `redis://${address}`;
  if (!URL.canParse(text)) return address;
  const url = new URL(text);
  if (isOn(tls)) url.protocol = 'rediss:';
  if (typeof user === 'string' && user !== '') url.username = encodeURIComponent(user);
  if (typeof password === 'string' && password !== '') url.password = encodeURIComponent(password);
  if (typeof db === 'number' && db > 0) url.pathname = `/${db}`;
  return url.href;
}

function isOn(tls: unknown): boolean {
  return (tls as { readonly enabled?: unknown } | undefined)?.enabled === true;
}

function present(value: unknown): unknown {
  const isEmpty = value === '' || value === null || (Array.isArray(value) && value.length === 0);
  return isEmpty ? undefined : value;
}
