export {
  closeRedis,
  openRedis,
  redisFailure,
  type RedisClient,
  type RedisOverrides,
} from './redis.connection.js';
export { openRedisNode } from './redis.node.js';
export { redisDriverOptions, type RedisDriverOptions } from './redis.options.js';
export { LuaScript } from './redis.script.js';
