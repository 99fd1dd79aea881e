import { Logger } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { protocols } from '../protocols.js';

/** Says what serves what, and what an operator should know although it prevents nothing. */
export function announce(
  config: Config,
  notices: readonly string[],
  { url, workers }: { readonly url: string; readonly workers: number },
): void {
  const logger = new Logger('Carillon');
  for (const notice of [...notices, ...warningsOf(config)]) logger.warn(notice);
  const { instant, delayed, idempotency } = config.bus;
  logger.log(`instant lane: ${instant.driver}`);
  logger.log(
    `delayed lane: ${delayed.driver}${delayed.driver === 'pulsar' ? `, ledger: ${delayed.ledger}` : ''}`,
  );
  logger.log(`idempotency: ${idempotency.store}`);
  logger.log(`fan-out: ${config.delivery.fanout.kind}`);
  if (workers > 1)
    logger.log(
      `workers: ${workers} processes behind one port; one more holds ${sharedOf(config).join(', ')}`,
    );
  const paths = protocols.flatMap((protocol) => protocol.paths);
  logger.log(
    `listening on ${url}, sockets at ${new Intl.ListFormat('en').format(paths)}, documentation at /docs`,
  );
}

/** What the primary process keeps for its workers. The rest is on servers that each of them reaches for itself. */
function sharedOf({ bus, delivery }: Config): string[] {
  return [
    ...(delivery.fanout.kind === 'local' ? ['fan-out', 'history', 'presence'] : []),
    'queues in memory',
    ...(['memory', 'sqlite'].includes(bus.delayed.driver) ? ['delayed lane'] : []),
    ...(bus.delayed.driver === 'pulsar' && bus.delayed.ledger === 'sqlite' ? ['ledger'] : []),
    ...(bus.idempotency.store === 'sqlite' ? ['idempotency keys'] : []),
    ...(bus.retries.store === 'sqlite' ? ['retries and dead letters'] : []),
  ];
}

function* warningsOf(config: Config): Generator<string> {
  const { server, trigger, bus, delivery } = config;
  const shared = [bus.instant.driver, bus.delayed.driver].filter((driver) =>
    ['kafka', 'pulsar', 'redis'].includes(driver),
  );
  if (shared.length > 0 && delivery.fanout.kind === 'local')
    yield (
      `${[...new Set(shared)].join(' and ')} may be shared by several processes, but the fan-out is local: a message that another process ` +
      'takes from the queue does not reach clients here. Set REDIS_URL, or run one process only'
    );
  if (delivery.fanout.kind === 'redis') {
    if (bus.instant.driver === 'memory')
      yield 'the instant lane is in memory: messages in it are lost with this process. Set bus.instant.driver to redis, kafka or pulsar';
    if (bus.delayed.driver === 'sqlite')
      yield 'the delayed lane is a file of this process: other replicas do not see it. Set bus.delayed.driver to redis or pulsar';
    if (bus.delayed.driver === 'pulsar' && bus.delayed.ledger === 'sqlite')
      yield 'the ledger is a file of this process: other replicas cannot cancel its messages. Set bus.delayed.ledger to redis';
    if (bus.idempotency.store === 'sqlite')
      yield 'Idempotency-Keys are known to this process only. Set bus.idempotency.store to redis';
  }
  if (trigger.apiKeys.length === 0)
    yield 'no API key is configured, so that callers reach nobody but themselves. Set CARILLON_API_KEY';
  if (trigger.apiKeys.some((key) => key.length < 16))
    yield 'an API key has fewer than 16 characters: it can be guessed';
  if (!isLoopback(server.host))
    yield `listening on ${server.host}: anybody who reaches it can open a socket and push to itself`;
  yield* shutdownWarnings(config);
}

/** The whole shutdown has one limit, and what comes first takes of the time of what follows. */
function* shutdownWarnings({ server, gateway }: Config): Generator<string> {
  const { readinessDelayMs, timeoutMs } = server.shutdown;
  const leftMs = timeoutMs - readinessDelayMs;
  if (leftMs <= 0)
    yield 'server.shutdown.readinessDelayMs takes all of server.shutdown.timeoutMs: every shutdown will be cut off';
  else if (gateway.drain.timeoutMs >= leftMs)
    yield (
      `a shutdown is cut off ${leftMs} ms after it began to close, and clients may take gateway.drain.timeoutMs ` +
      `(${gateway.drain.timeoutMs} ms) to leave: raise server.shutdown.timeoutMs, or lower that`
    );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
