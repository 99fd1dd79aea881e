import { BrokerStatus, type Readiness } from '../metrics/index.js';
import { type SqliteFile, sqliteFile } from './adapters/sqlite/sqlite.options.js';
import { AdapterUnusableError } from './bus.errors.js';
import type { BusOptions } from './bus.options.js';

/** Where an adapter reports its broker to. An application that embeds the bus alone has no {@link Readiness}. */
export function statusOf(readiness: Readiness | undefined, name: string): BrokerStatus {
  return readiness?.broker(name) ?? new BrokerStatus(name);
}

/** The schema has checked this; it holds for options that a program made by hand. */
export function configured<Driver extends keyof BusOptions['drivers']>(
  drivers: BusOptions['drivers'],
  driver: Driver,
): NonNullable<BusOptions['drivers'][Driver]> {
  const options = drivers[driver];
  if (options === undefined) throw new AdapterUnusableError(`drivers.${driver} is not configured`);
  return options;
}

export function embedded(drivers: BusOptions['drivers'], store: string): SqliteFile {
  return sqliteFile(drivers.sqlite, store);
}
