export { type BrokerAddress, type BrokerKind, environmentOf, type RunningBroker } from './broker.ts';
export { type Certificate, makeCertificate } from './certificate.ts';
export { type KafkaOptions, startKafka } from './kafka.ts';
export { type PulsarOptions, type RunningPulsar, startPulsar } from './pulsar.ts';
export { type RedisOptions, startRedis } from './redis.ts';
export {
  type HostAndPort,
  type RunningRedisCluster,
  type RunningRedisSentinel,
  startRedisCluster,
  startRedisSentinel,
} from './redis-topologies.ts';
