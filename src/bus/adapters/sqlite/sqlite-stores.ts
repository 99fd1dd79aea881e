import type { Readiness } from '../../../metrics/index.js';
import { statusOf } from '../../adapter-options.js';
import type { BusOptions } from '../../bus.options.js';
import type { Idempotency } from '../../idempotency.port.js';
import type { RetryStore } from '../../retries/retry-store.port.js';
import type { ScheduleLedger } from '../../schedule/schedule-ledger.port.js';
import type { Schedule } from '../../schedule/schedule.port.js';
import { SqliteIdempotency } from './sqlite.idempotency.js';
import { SqliteLedger } from './sqlite.ledger.js';
import { SqliteRetryStore } from './sqlite.retry-store.js';
import { SqliteSchedule } from './sqlite.schedule.js';
import { MEMORY, sqliteFile } from '../../../sqlite/index.js';

/*
 * Opens each embedded store with its part of the options. The names of the files must not change: they hold data.
 * Every function throws AdapterUnusableError if it cannot open the file.
 */

/** The delayed lane. With the driver `memory` it is not stored in a file. */
export function openSqliteSchedule(options: BusOptions, readiness?: Readiness): Promise<Schedule> {
  const { drivers, delayed } = options;
  const directory = delayed.driver === 'memory' ? MEMORY : drivers.sqlite.directory;
  const file = sqliteFile({ ...drivers.sqlite, directory }, 'schedule');
  return SqliteSchedule.open(
    { ...file, ...delayed },
    statusOf(readiness, `${delayed.driver} (delayed lane)`),
  );
}

/** The ledger of a delayed lane over Pulsar. */
export function openSqliteLedger(options: BusOptions, readiness?: Readiness): Promise<ScheduleLedger> {
  const file = sqliteFile(options.drivers.sqlite, 'ledger');
  const status = statusOf(readiness, 'sqlite (ledger of the delayed lane)');
  return SqliteLedger.open({ ...file, ...options.delayed }, status);
}

export function openSqliteIdempotency(options: BusOptions, readiness?: Readiness): Promise<Idempotency> {
  const file = sqliteFile(options.drivers.sqlite, 'idempotency');
  const { maxKeys } = options.idempotency;
  return SqliteIdempotency.open({ ...file, maxKeys }, statusOf(readiness, 'sqlite (idempotency)'));
}

export function openSqliteRetryStore(options: BusOptions, readiness?: Readiness): Promise<RetryStore> {
  const file = sqliteFile(options.drivers.sqlite, 'parked');
  return SqliteRetryStore.open({ ...file, ...options.retries }, statusOf(readiness, 'sqlite (retry store)'));
}
