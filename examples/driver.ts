import type { BusDriver, BusOptionsInput } from 'carillon/bus';

/**
 * Lets an example run over any driver. DRIVER chooses it; the default is `memory`:
 *
 *   DRIVER=kafka  KAFKA_BROKER=localhost:9092
 *   DRIVER=redis  REDIS_URL=redis://localhost:6379
 *   DRIVER=pulsar PULSAR_SERVICE_URL=http://localhost:8080
 */
export function busOptionsFrom(env: Readonly<Record<string, string | undefined>>): BusOptionsInput {
  const defaultDriver = (env['DRIVER'] ?? 'memory') as BusDriver;
  // Retries and dead letters are kept in memory only.
  const sqlite = { directory: ':memory:' };
  switch (defaultDriver) {
    case 'memory':
      return { defaultDriver, drivers: { sqlite } };
    case 'kafka':
      return {
        defaultDriver,
        drivers: { sqlite, kafka: { brokers: [env['KAFKA_BROKER'] ?? 'localhost:9092'] } },
      };
    case 'redis':
      return {
        defaultDriver,
        drivers: { sqlite, redis: { url: env['REDIS_URL'] ?? 'redis://localhost:6379' } },
      };
    case 'pulsar':
      return {
        defaultDriver,
        drivers: { sqlite, pulsar: { serviceUrl: env['PULSAR_SERVICE_URL'] ?? 'http://localhost:8080' } },
      };
    default:
      return defaultDriver satisfies never;
  }
}
