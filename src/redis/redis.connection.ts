import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { BrokerStatus } from '../metrics/index.js';
import { backoffMs, jittered } from '../async/index.js';
import { readAuthorities } from '../tls/index.js';
import { CheckedRedis } from './redis.checked.js';
import { keepAlive } from './redis.keep-alive.js';
import { followMaster } from './redis.master-watch.js';
import type { RedisDriverOptions } from './redis.options.js';
import { databaseOf } from './redis.url.js';

export type RedisClient = Redis | Cluster;

const SLOTS_REFRESH_INTERVAL_MS = 5_000;
const RECONNECT_INITIAL_MS = 50;

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** Options in which a connection may differ from the others. */
export type RedisOverrides = Pick<RedisOptions, 'autoResubscribe' | 'commandTimeout' | 'socketTimeout'>;

/**
 * Opens a connection that fails fast: while Redis is unavailable every call rejects at once, and a call without a
 * reply rejects after `commandTimeoutMs`. Calls are neither queued nor sent again automatically, because only the
 * caller knows what may be repeated. The connection itself reconnects until it is closed.
 *
 * Resolves when Redis is ready, or when the first attempt failed: a process may start before its Redis. `status`
 * reports the state.
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
  keepAlive(client, options.keepAliveIntervalMs);
  await firstAttempt(client, status);
  return client;
}

/** Waits for pending calls, at most as long as a call may take, then ends the connection. */
export async function closeRedis(client: RedisClient): Promise<void> {
  await client.quit().catch(() => {});
  // Also needed after QUIT: only this closes the connections that watch Sentinels for a failover.
  client.disconnect();
}

/** Resolves when the client is ready, or when its first attempt failed. Reports the state to `status` from then on. */
export async function firstAttempt(client: RedisClient, status: BrokerStatus): Promise<void> {
  let lastError = 'the connection was lost';
  const attempted = Promise.withResolvers<void>();
  client.on('ready', () => {
    status.up();
    attempted.resolve();
  });
  // Without a listener, the client would end the process or print the error. Only the message is used: the error
  // object may contain the command with its arguments, and so the password.
  client.on('error', (error: Error) => {
    lastError = reasonOf(error);
    status.down(lastError);
    attempted.resolve();
  });
  // Not `close`, which is also emitted after a requested close.
  client.on('reconnecting', () => {
    status.down(lastError);
    attempted.resolve();
  });
  await attempted.promise;
}

/** The error of a Cluster only says that no node is usable. The error of the last node contains the reason. */
function reasonOf(error: Error & { readonly lastNodeError?: Error }): string {
  const { message, lastNodeError } = error;
  return lastNodeError === undefined
    ? withAdvice(message)
    : `${message} ${withAdvice(lastNodeError.message)}`;
}

/** Adds what to do to the replies of Redis that no further attempt will change. */
function withAdvice(reason: string): string {
  if (/WRONGPASS|NOAUTH|invalid password|without any password/i.test(reason)) {
    return `${reason}: set the user and the password of this server in the Redis URL`;
  }
  if (/DB index is out of range|invalid DB index/i.test(reason)) {
    return `${reason}: set a database in the Redis URL that the server has (see its setting \`databases\`)`;
  }
  if (reason.includes('NOPERM')) return `${reason}: grant the user of the Redis URL this permission`;
  return reason;
}

/** Connects to the server of the options, whose address may come from Sentinels. */
export function singleClient(
  options: RedisDriverOptions,
  overrides: RedisOverrides & Pick<RedisOptions, 'host' | 'port' | 'retryStrategy'>,
): Redis {
  const url = new URL(options.url);
  const single = {
    ...sharedOptions(options, url),
    db: databaseOf(options.url),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelay(options),
    ...overrides,
  } satisfies RedisOptions;
  if (options.sentinels.length === 0) {
    return new CheckedRedis({ ...hostAndPort(url), ...single });
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
  client.on('end', () => client.connectAgain());
  const { connectTimeoutMs, commandTimeoutMs, sentinelPassword } = options;
  const sentinels = options.sentinels.map((node) => ({
    ...hostAndPort(new URL(`redis://${node}`)),
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    ...(isTls(url) ? { tls: readAuthorities(options.tlsCaFile) } : {}),
  }));
  followMaster(client, sentinels, options.sentinelMaster);
  return client;
}

/**
 * Reconnects also in the one case in which ioredis gives up: when a Sentinel announces a failover at the moment in
 * which the client asks for the master. The client then ends in the same way as after `disconnect`.
 */
class PersistentRedis extends CheckedRedis {
  #isDisconnected = false;

  connectAgain(): void {
    if (!this.#isDisconnected) this.connect().catch(() => {});
  }

  override disconnect(reconnect = false): void {
    // Only a disconnect without reconnect is final.
    if (!reconnect) this.#isDisconnected = true;
    super.disconnect(reconnect);
  }
}

function clusterClient(options: RedisDriverOptions, overrides: RedisOverrides): Cluster {
  return new Cluster(
    options.clusterNodes.map((node) => hostAndPort(new URL(`redis://${node}`))),
    {
      redisOptions: { ...sharedOptions(options, new URL(options.url)), ...overrides },
      clusterRetryStrategy: reconnectDelay(options),
      // For processes that only subscribe: they send no command whose error would report that a slot has moved.
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
    // A peer that vanished is detected by its silence, long before TCP would time out.
    socketTimeout: 2 * options.commandTimeoutMs,
    autoResendUnfulfilledCommands: false,
    // A master that became a replica refuses writes. After a reconnect, the connection goes to the new master.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    connectionName: 'carillon',
    // Time for the peer to close its side before the socket is destroyed.
    disconnectTimeout: 300,
  } satisfies RedisOptions;
}

export function reconnectDelay({ reconnectMaxDelayMs }: RedisDriverOptions) {
  return (attempt: number) => jittered(backoffMs(attempt, RECONNECT_INITIAL_MS, reconnectMaxDelayMs), 0.5);
}

export function hostAndPort(url: URL): RedisNode {
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) };
}

function isTls(url: URL): boolean {
  return url.protocol === 'rediss:';
}

/** Returns why a call failed: a reason that may be shown to clients, and a cause that may be logged. */
export function redisFailure(error: unknown): { readonly reason: string; readonly cause: Error } {
  const cause = error instanceof Error ? error : new Error(String(error));
  // ioredis adds the command to its errors. With it, passwords and message bodies would appear in logs.
  if ('command' in cause) delete cause.command;
  // If there is no connection, ioredis only reports which of its options prevents queuing.
  const isOffline = cause.message.includes('enableOfflineQueue');
  return { reason: isOffline ? 'there is no connection' : cause.message, cause };
}
