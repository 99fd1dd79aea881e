/**
 * Variables with a name of their own, kept because deployments already have them. Each stands for one or more settings;
 * the setting's own `CARILLON_…` variable wins over it.
 */
export const wellKnownVariables: Readonly<Record<string, readonly string[]>> = {
  HOST: ['server.host'],
  PORT: ['server.port'],
  LOG_LEVEL: ['log.level'],
  KAFKA_BROKER: ['bus.drivers.kafka.brokers'],
  KAFKA_TOPIC: ['bus.instant.topic'],
  PULSAR_SERVICE_URL: ['bus.drivers.pulsar.serviceUrl'],
  PULSAR_TOKEN: ['bus.drivers.pulsar.token'],
  PULSAR_TOPIC: ['bus.delayed.topic'],
  PULSAR_SUBSCRIPTION: ['bus.delayed.subscription'],
  REDIS_URL: ['redis.url'],
  CARILLON_API_KEY: ['trigger.apiKeys'],
};
