import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { BrokerStatus } from '../metrics/index.js';
import { readAuthorities } from '../tls/index.js';
import type { RedisDriverOptions } from './redis.options.js';

export type RedisClient = Redis | Cluster;

const SLOTS_REFRESH_INTERVAL_MS = 5_000;

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** What a connection may do otherwise than the others. */
export type RedisOverrides = Pick<RedisOptions, 'autoResubscribe' | 'commandTimeout' | 'socketTimeout'>;

/**
 * Opens a connection that fails fast: while Redis is away every call rejects at once, and one without an answer rejects after
 * `commandTimeoutMs`. Nothing is queued or sent again behind the caller's back, because only the caller knows
 * what may be repeated. The connection itself comes back for as long as it takes.
 *
 * Resolves when Redis is ready, or when the first attempt failed: a process may start before its Redis, and
 * `status` says so meanwhile.
 *
 * @throws {AuthoritiesUnreadableError}
 */
export async function openRedis(
  options: RedisDriverOptions,
  status: BrokerStatus,
  overrides: RedisOverrides = {},
): Promise<RedisClient> {
  const client =
    options.clusterNodes.length > 0 ? clusterClient(options, overrides) : singleClient(options, overrides);
  await firstAttempt(client, status);
  return client;
}

/** Lets calls under way finish, for as long as a call may take, then ends the connection. */
export async function closeRedis(client: RedisClient): Promise<void> {
  await client.quit().catch(() => {});
  // Also after an orderly end: only this gives up the connections that watch Sentinels for a failover.
  client.disconnect();
}

/** Resolves when the client is ready, or its first attempt failed; `status` is told from then on. */
export async function firstAttempt(client: RedisClient, status: BrokerStatus): Promise<void> {
  let lastError = 'the connection was lost';
  const decided = Promise.withResolvers<void>();
  client.on('ready', () => {
    status.up();
    decided.resolve();
  });
  // Listening also keeps the client from ending the process or printing by itself. Only the message is passed on: the
  // error object may carry the command with its arguments, the password among them.
  client.on('error', (error: Error) => {
    lastError = reasonOf(error);
    status.down(lastError);
    decided.resolve();
  });
  // Not `close`: that one also follows a close that was asked for.
  client.on('reconnecting', () => {
    status.down(lastError);
    decided.resolve();
  });
  await decided.promise;
}

/** A Cluster says only that no node would do; the last one that it asked says why. */
function reasonOf(error: Error & { readonly lastNodeError?: Error }): string {
  return error.lastNodeError === undefined
    ? error.message
    : `${error.message} ${error.lastNodeError.message}`;
}

/** The server that the options name; Sentinels are asked for it. */
export function singleClient(
  options: RedisDriverOptions,
  overrides: RedisOverrides & Pick<RedisOptions, 'host' | 'port' | 'retryStrategy'>,
): Redis {
  const url = new URL(options.url);
  const single = {
    ...sharedOptions(options, url),
    db: Number(url.pathname.slice(1) || 0),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelay(options),
    ...overrides,
  } satisfies RedisOptions;
  if (options.sentinels.length === 0) {
    return new Redis({ ...hostAndPort(url), ...single });
  }
  const client = new PersistentRedis({
    ...single,
    name: options.sentinelMaster,
    sentinels: options.sentinels.map((node) => hostAndPort(new URL(`redis://${node}`))),
    sentinelPassword: options.sentinelPassword,
    sentinelRetryStrategy: reconnectDelay(options),
    enableTLSForSentinelMode: isTls(url),
    ...(isTls(url) ? { sentinelTLS: readAuthorities(options.tlsCaFile) } : {}),
    failoverDetector: true,
  });
  client.on('end', () => client.comeBack());
  return client;
}

/**
 * Comes back also where ioredis gives up for good: when a Sentinel announces a failover just while the client asks who the
 * master is. It ends then as it does when it is told to.
 */
class PersistentRedis extends Redis {
  #isLeft = false;

  comeBack(): void {
    if (!this.#isLeft) this.connect().catch(() => {});
  }

  override disconnect(reconnect = false): void {
    // For good: a connection that ends may ask to be made anew when everybody has left.
    if (!reconnect) this.#isLeft = true;
    super.disconnect(reconnect);
  }
}

function clusterClient(options: RedisDriverOptions, overrides: RedisOverrides): Cluster {
  return new Cluster(
    options.clusterNodes.map((node) => hostAndPort(new URL(`redis://${node}`))),
    {
      redisOptions: { ...sharedOptions(options, new URL(options.url)), ...overrides },
      clusterRetryStrategy: reconnectDelay(options),
      // For processes that only listen: nothing that fails tells them that a slot has moved.
      slotsRefreshInterval: SLOTS_REFRESH_INTERVAL_MS,
      enableOfflineQueue: false,
    },
  );
}

function sharedOptions(options: RedisDriverOptions, url: URL) {
  return {
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
    ...(isTls(url) ? { tls: readAuthorities(options.tlsCaFile) } : {}),
    connectTimeout: options.connectTimeoutMs,
    commandTimeout: options.commandTimeoutMs,
    // A peer that vanished without a word is noticed by its silence, long before TCP gives up.
    socketTimeout: 2 * options.commandTimeoutMs,
    autoResendUnfulfilledCommands: false,
    // A master that became a replica refuses writes; connecting anew finds the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    connectionName: 'carillon',
    // How long a peer may take to close its side, before the socket is destroyed.
    disconnectTimeout: 300,
  } satisfies RedisOptions;
}

export function reconnectDelay({ reconnectMaxDelayMs }: RedisDriverOptions) {
  return (attempt: number) => Math.min(25 * 2 ** attempt, reconnectMaxDelayMs) * (0.5 + Math.random() / 2);
}

export function hostAndPort(url: URL): RedisNode {
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) };
}

function isTls(url: URL): boolean {
  return url.protocol === 'rediss:';
}

/** What went wrong with a call, in words that may be shown, and as a cause that may be logged. */
export function redisFailure(error: unknown): { readonly reason: string; readonly cause: Error } {
  const cause = error instanceof Error ? error : new Error(String(error));
  // ioredis hangs the command on its errors: with it, passwords and message bodies would end up in logs.
  if ('command' in cause) delete cause.command;
  // It words the absence of a connection as a matter of its own options.
  const isOffline = cause.message.includes('enableOfflineQueue');
  return { reason: isOffline ? 'there is no connection' : cause.message, cause };
}
