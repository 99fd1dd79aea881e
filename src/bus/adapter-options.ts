import { BrokerStatus, type Readiness } from '../metrics/index.js';
import { AdapterUnusableError } from './bus.errors.js';
import { DEFAULT_POOL } from './producers/pool.options.js';
import type { BusOptions } from './bus.options.js';

/** Returns the status that an adapter reports to. An application that embeds only the bus has no {@link Readiness}. */
export function statusOf(readiness: Readiness | undefined, name: string): BrokerStatus {
  return readiness?.broker(name) ?? new BrokerStatus(name);
}

/**
 * Returns the options of a driver.
 *
 * @throws {AdapterUnusableError} the driver is not configured. The schema checks this; a program may build options by hand.
 */
export function driverOptions<Driver extends keyof BusOptions['drivers']>(
  drivers: BusOptions['drivers'],
  driver: Driver,
): NonNullable<BusOptions['drivers'][Driver]> {
  const options = drivers[driver];
  if (options === undefined) throw new AdapterUnusableError(`drivers.${driver} is not configured`);
  return options;
}

/**
 * Returns the options of a Redis by the name of its pool.
 *
 * @throws {AdapterUnusableError} it is not configured
 */
export function redisOptions(
  { drivers, redisPools }: Pick<BusOptions, 'drivers' | 'redisPools'>,
  pool = DEFAULT_POOL,
): NonNullable<BusOptions['drivers']['redis']> {
  if (pool === DEFAULT_POOL) return driverOptions(drivers, 'redis');
  const options = Object.hasOwn(redisPools, pool) ? redisPools[pool] : undefined;
  if (options === undefined) throw new AdapterUnusableError(`redisPools.${pool} is not configured`);
  return options;
}
