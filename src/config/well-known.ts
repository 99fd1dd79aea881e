/** A variable with a common name: it sets some settings to its value, and its presence implies values for others. */
export interface WellKnownVariable {
  readonly sets: readonly string[];
  readonly implies?: Readonly<Record<string, string>>;
}

export type WellKnownVariables = Readonly<Record<string, WellKnownVariable>>;

/**
 * Variables that deployments commonly have. They are read in this order, so that Kafka and Pulsar serve their lanes even if Redis is
 * configured. The `CARILLON_…` variable of a setting wins over all of them.
 */
export const wellKnownVariables: WellKnownVariables = {
  HOST: { sets: ['server.host'] },
  PORT: { sets: ['server.port'] },
  WORKERS: { sets: ['server.workers'] },
  LOG_LEVEL: { sets: ['log.level'] },
  CARILLON_API_KEY: { sets: ['trigger.apiKeys'] },
  REDIS_URL: {
    sets: ['bus.drivers.redis.url', 'delivery.fanout.url'],
    implies: {
      'delivery.fanout.kind': 'redis',
      'bus.instant.driver': 'redis',
      'bus.delayed.driver': 'redis',
      'bus.delayed.ledger': 'redis',
      'bus.idempotency.store': 'redis',
      'bus.retries.store': 'redis',
      'bus.defaultDriver': 'redis',
    },
  },
  WORKER_ID: { sets: ['bus.worker.id'] },
  TOTAL_WORKERS: { sets: ['bus.worker.total'] },
  KAFKA_BROKER: {
    sets: ['bus.drivers.kafka.brokers'],
    implies: { 'bus.instant.driver': 'kafka', 'bus.defaultDriver': 'kafka' },
  },
  KAFKA_TOPIC: { sets: ['bus.instant.topic'] },
  PULSAR_SERVICE_URL: {
    sets: ['bus.drivers.pulsar.serviceUrl'],
    implies: { 'bus.delayed.driver': 'pulsar' },
  },
  PULSAR_TOKEN: { sets: ['bus.drivers.pulsar.token'] },
  PULSAR_TOPIC: { sets: ['bus.delayed.pulsar.topic'] },
  PULSAR_SUBSCRIPTION: { sets: ['bus.delayed.pulsar.subscription'] },
};

/** Names that people use for these variables, with the right one. A variable of such a name is reported, because it has no effect. */
export const nearMisses: Readonly<Record<string, string>> = {
  KAFKA_BROKERS: 'KAFKA_BROKER',
  KAFKA_BOOTSTRAP_SERVERS: 'KAFKA_BROKER',
  KAFKA_HOST: 'KAFKA_BROKER',
  KAFKA_URL: 'KAFKA_BROKER',
  REDIS_HOST: 'REDIS_URL',
  REDIS_URI: 'REDIS_URL',
  PULSAR_URL: 'PULSAR_SERVICE_URL',
  PULSAR_HOST: 'PULSAR_SERVICE_URL',
  PULSAR_AUTH_TOKEN: 'PULSAR_TOKEN',
  WORKERS_TOTAL: 'TOTAL_WORKERS',
};
