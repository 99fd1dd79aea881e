import {
  SqliteSchedule,
  type SqliteScheduleOptions,
} from '../../../src/bus/adapters/sqlite/sqlite.schedule.js';
import { roomy } from './schedule-limits.js';
import { BrokerStatus } from '../../../src/metrics/index.js';

/** Uses short pauses. */
export function open(
  given: unknown,
  status = new BrokerStatus('sqlite (delayed lane)'),
): Promise<SqliteSchedule> {
  const quick: Omit<SqliteScheduleOptions, 'path'> = {
    synchronous: 'normal',
    ...roomy,
    rememberMs: 60_000,
    retryInitialMs: 20,
    retryMaxMs: 1_000,
    closeTimeoutMs: 5_000,
  };
  return SqliteSchedule.open(
    { ...quick, ...(given as Partial<SqliteScheduleOptions> & { path: string }) },
    status,
  );
}
