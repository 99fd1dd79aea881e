export {
  closeRedis,
  openRedis,
  openRedisNode,
  type RedisClient,
  type RedisOverrides,
  withoutCommand,
} from './redis.connection.js';
export { redisDriverOptions, type RedisDriverOptions } from './redis.options.js';
