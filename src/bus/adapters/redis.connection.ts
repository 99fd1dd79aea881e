import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { BrokerStatus } from '../../metrics/index.js';
import { BrokerUnavailableError } from '../bus.errors.js';
import type { RedisDriverOptions } from './redis.options.js';

export type RedisClient = Redis | Cluster;

/**
 * Opens a connection that fails fast: while Redis is away every call rejects at once, and one without an answer rejects after
 * `commandTimeoutMs`. Nothing is queued or sent again behind the caller's back, because only the caller knows
 * what may be repeated. The connection itself comes back for as long as it takes.
 *
 * Resolves when Redis is ready, or when the first attempt failed: a process may start before its Redis, and
 * `status` says so meanwhile.
 */
export async function openRedis(options: RedisDriverOptions, status: BrokerStatus): Promise<RedisClient> {
  const client = options.clusterNodes.length > 0 ? clusterClient(options) : singleClient(options);
  let lastError = 'the connection was lost';
  const decided = Promise.withResolvers<void>();
  client.on('ready', () => {
    status.up();
    decided.resolve();
  });
  // Listening also keeps the client from ending the process or printing by itself. Only the message is passed on: the
  // error object may carry the command with its arguments, the password among them.
  client.on('error', (error: Error) => {
    lastError = error.message;
    status.down(lastError);
    decided.resolve();
  });
  // Not `close`: that one also follows a close that was asked for.
  client.on('reconnecting', () => {
    status.down(lastError);
    decided.resolve();
  });
  await decided.promise;
  return client;
}

/** Lets calls under way finish, for as long as a call may take, then ends the connection. */
export async function closeRedis(client: RedisClient): Promise<void> {
  await client.quit().catch(() => client.disconnect());
}

/** Waits for a call to Redis and translates what goes wrong. */
export async function redisCall<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw redisUnavailable(error);
  }
}

export function redisUnavailable(error: unknown): BrokerUnavailableError {
  const cause = error instanceof Error ? error : new Error(String(error));
  // ioredis hangs the command on its errors: with it, message bodies would end up in logs.
  if ('command' in cause) delete cause.command;
  // ioredis words the absence of a connection as a matter of its own options.
  const reason = cause.message.includes('enableOfflineQueue') ? 'there is no connection' : cause.message;
  return new BrokerUnavailableError('redis', reason, { cause });
}

function singleClient(options: RedisDriverOptions): Redis {
  const url = new URL(options.url);
  const single = {
    ...sharedOptions(options, url),
    db: Number(url.pathname.slice(1) || 0),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelay(options),
  } satisfies RedisOptions;
  if (options.sentinels.length === 0) {
    return new Redis({ ...single, ...hostAndPort(url) });
  }
  return new Redis({
    ...single,
    name: options.sentinelMaster,
    sentinels: options.sentinels.map((node) => hostAndPort(new URL(`redis://${node}`))),
    sentinelPassword: options.sentinelPassword,
    sentinelRetryStrategy: reconnectDelay(options),
    enableTLSForSentinelMode: isTls(url),
    ...(isTls(url) ? { sentinelTLS: {} } : {}),
    failoverDetector: true,
  });
}

function clusterClient(options: RedisDriverOptions): Cluster {
  return new Cluster(
    options.clusterNodes.map((node) => hostAndPort(new URL(`redis://${node}`))),
    {
      redisOptions: sharedOptions(options, new URL(options.url)),
      clusterRetryStrategy: reconnectDelay(options),
      enableOfflineQueue: false,
    },
  );
}

function sharedOptions(options: RedisDriverOptions, url: URL) {
  return {
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
    ...(isTls(url) ? { tls: {} } : {}),
    connectTimeout: options.connectTimeoutMs,
    commandTimeout: options.commandTimeoutMs,
    // A peer that vanished without a word is noticed by its silence, long before TCP gives up.
    socketTimeout: 2 * options.commandTimeoutMs,
    autoResendUnfulfilledCommands: false,
    // A master that became a replica refuses writes; connecting anew finds the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    connectionName: 'carillon',
  } satisfies RedisOptions;
}

function reconnectDelay({ reconnectMaxDelayMs }: RedisDriverOptions) {
  return (attempt: number) => Math.min(25 * 2 ** attempt, reconnectMaxDelayMs) * (0.5 + Math.random() / 2);
}

function hostAndPort(url: URL) {
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) };
}

function isTls(url: URL): boolean {
  return url.protocol === 'rediss:';
}
