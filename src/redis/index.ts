export {
  closeRedis,
  openRedis,
  openRedisNode,
  redisFailure,
  type RedisClient,
  type RedisOverrides,
} from './redis.connection.js';
export { redisDriverOptions, type RedisDriverOptions } from './redis.options.js';
export { LuaScript } from './redis.script.js';
