import { Logger } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { operatorRoutes } from '../config/operator-routes.js';
import { usesLanes } from '../config/roles.js';
import { listeningOn } from './listening-on.js';
import { needsOperatorKey } from '../http/index.js';
import { warningsOf } from './start-up-warnings.js';
import { protocols } from '../protocols.js';

/** Logs which roles run here, what carries messages and what is served at which path, after everything that deserves a warning. */
export function reportStartUp(
  config: Config,
  { notices, errors }: { readonly notices: readonly string[]; readonly errors: readonly string[] },
  { port, workers }: { readonly port: number; readonly workers: number },
): void {
  const logger = new Logger('Carillon');
  for (const error of errors) logger.error(error);
  const warnings = notices.filter((notice) => !errors.includes(notice));
  for (const warning of [...warnings, ...warningsOf(config)]) logger.warn(warning);
  const { roles, host } = config.server;
  logger.log(`roles: ${roles.join(', ')}`);
  if (usesLanes(roles)) for (const line of laneLines(config)) logger.log(line);
  const { kind } = config.delivery.fanout;
  logger.log(`fan-out: ${kind}${kind === 'local' && workers > 1 ? ', over IPC between the workers' : ''}`);
  if (workers > 1) logger.log(`workers: ${workers} processes behind one port, and ${primaryLine(config)}`);
  logger.log(`listening on ${listeningOn(host, port)}: ${servedBy(config).join('; ')}`);
}

function laneLines({ server, bus }: Config): string[] {
  const { instant, delayed, idempotency } = bus;
  const ledger = delayed.driver === 'pulsar' ? `, ledger: ${delayed.ledger}` : '';
  return [
    `instant lane: ${instant.driver}`,
    `delayed lane: ${delayed.driver}${ledger}`,
    ...(server.roles.includes('trigger') ? [`idempotency: ${idempotency.store}`] : []),
  ];
}

function servedBy({ server, trigger, metrics }: Config): string[] {
  const { roles } = server;
  const socketPaths = protocols.flatMap(({ paths }) => paths);
  const api = `/trigger, /schedules, /dead-letters${trigger.api.enabled ? ', /api' : ''}`;
  return [
    ...(roles.includes('gateway') ? [`sockets at ${socketPaths.join(', ')}`] : []),
    ...(roles.includes('trigger') ? [`HTTP API at ${api}`] : []),
    ...(server.http.docs ? ['documentation at /docs'] : []),
    `health at /health, ${metricsPlace(server, metrics.path)}`,
  ];
}

function metricsPlace(server: Config['server'], path: string): string {
  const { port, host = server.host } = server.http.internal;
  const key = needsOperatorKey(operatorRoutes(server)) ? ' with a key' : '';
  if (port === undefined) return `metrics at ${path}${key}`;
  return `on the internal port (${listeningOn(host, port)}) also metrics at ${path}${key}`;
}

function primaryLine(config: Config): string {
  const stores = storesInPrimary(config);
  return stores.length === 0 ? 'a primary process' : `a primary process that holds ${stores.join(', ')}`;
}

/** Returns the names of the stores that the primary process holds for its workers. Each worker connects to brokers by itself. */
function storesInPrimary({ server, bus, delivery }: Config): string[] {
  const fanout = delivery.fanout.kind === 'local' ? ['fan-out', 'history', 'presence'] : [];
  if (!usesLanes(server.roles)) return fanout;
  return [
    ...fanout,
    'queues in memory',
    ...(['memory', 'sqlite'].includes(bus.delayed.driver) ? ['delayed lane'] : []),
    ...(bus.delayed.driver === 'pulsar' && bus.delayed.ledger === 'sqlite' ? ['ledger'] : []),
    ...(bus.idempotency.store === 'sqlite' ? ['idempotency keys'] : []),
    ...(bus.retries.store === 'sqlite' ? ['retries and dead letters'] : []),
  ];
}
