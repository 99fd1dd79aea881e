import type { Config } from '../config/config.js';
import { apiKeyMinLength, isLoopback, needsOperatorKey } from '../http/index.js';
import { operatorRoutes } from '../config/operator-routes.js';
import { usesLanes } from '../config/roles.js';
import { shortKeyIssues } from '../config/short-keys.js';

/** Returns what an operator should know about a configuration that works. */
export function warningsOf(config: Config): string[] {
  const { server } = config;
  return [
    ...(usesLanes(server.roles) ? laneWarnings(config) : []),
    ...(server.roles.includes('trigger') ? apiKeyWarnings(config) : []),
    ...(server.roles.includes('gateway') ? exposureWarnings(config) : []),
    ...shortKeyIssues(config).map(({ path, message }) => `${path.join('.')}: ${message}`),
    ...metricsWarnings(config),
    ...shutdownWarnings(config),
  ];
}

function laneWarnings({ bus, delivery }: Config): string[] {
  if (delivery.fanout.kind === 'redis') return [...perProcessWarnings(bus)];
  const drivers = new Set([bus.instant.driver, bus.delayed.driver]);
  const shared = [...drivers].filter((driver) => ['kafka', 'pulsar', 'redis'].includes(driver));
  if (shared.length === 0) return [];
  return [
    `${shared.join(' and ')} can be shared by several processes, but the fan-out is local: clients of this process do not ` +
      'receive the messages that another process consumes. Set REDIS_URL, or run only one process',
  ];
}

/** Warns about stores that belong to one process. It applies to a shared fan-out, which several processes may use. */
function* perProcessWarnings({ instant, delayed, idempotency }: Config['bus']): Generator<string> {
  if (instant.driver === 'memory')
    yield 'the instant lane is in memory: its messages are lost when this process ends. Set bus.instant.driver to redis, kafka or pulsar';
  if (delayed.driver === 'sqlite')
    yield 'the delayed lane is a file of this process: other processes cannot read it. Set bus.delayed.driver to redis or pulsar';
  if (delayed.driver === 'pulsar' && delayed.ledger === 'sqlite')
    yield 'the ledger of the delayed lane is a file of this process: other processes cannot cancel its messages. Set bus.delayed.ledger to redis';
  if (idempotency.store === 'sqlite')
    yield 'idempotency keys are in a file of this process: other processes do not know them. Set bus.idempotency.store to redis';
}

function* apiKeyWarnings({ trigger }: Config): Generator<string> {
  if (trigger.apiKeys.length === 0)
    yield 'no API key is configured: callers can push only to themselves. Set CARILLON_API_KEY';
}

function* metricsWarnings({ server, trigger, metrics }: Config): Generator<string> {
  const { metricsKeys } = server.http;
  if (metricsKeys.length + trigger.apiKeys.length === 0 && needsOperatorKey(operatorRoutes(server)))
    yield (
      `nobody can read ${metrics.path}: on ${server.host} it needs a key, and none is configured. Set server.http.metricsKeys ` +
      '(CARILLON_SERVER_HTTP_METRICS_KEYS), or server.http.internal.port'
    );
}

function* exposureWarnings({ server, gateway }: Config): Generator<string> {
  if (!isLoopback(server.host))
    yield `listening on ${server.host}: anyone who can connect to it can open a socket and push to themselves`;
  const secrets = secretsOf(gateway.client.tokens);
  if (!isLoopback(server.host) && secrets.some(({ length }) => length < apiKeyMinLength))
    yield `a secret of gateway.client.tokens has fewer than ${apiKeyMinLength} characters: who has a token can find it out and sign others. Use a longer one`;
}

function secretsOf({ connection, subscription }: Config['gateway']['client']['tokens']): string[] {
  return [connection, subscription].flatMap((tokens) =>
    [tokens?.hmacSecretKey ?? [], tokens?.hmacPreviousSecretKey ?? []].flat(),
  );
}

/** The time limit holds for the whole shutdown, so that its first steps shorten the later ones. */
function* shutdownWarnings({ server, gateway }: Config): Generator<string> {
  const { readinessDelayMs, timeoutMs } = server.shutdown;
  const leftMs = timeoutMs - readinessDelayMs;
  if (leftMs <= 0)
    yield 'server.shutdown.readinessDelayMs takes all of server.shutdown.timeoutMs: every shutdown will be cut off';
  else if (server.roles.includes('gateway') && gateway.drain.timeoutMs >= leftMs)
    yield (
      `a shutdown is cut off ${leftMs} ms after the process begins to close, but clients may take gateway.drain.timeoutMs ` +
      `(${gateway.drain.timeoutMs} ms) to leave: raise server.shutdown.timeoutMs, or lower gateway.drain.timeoutMs`
    );
}
