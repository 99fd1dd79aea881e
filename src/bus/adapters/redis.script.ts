import { LuaScript, type RedisClient } from '../../redis/index.js';
import { redisCall } from './redis.call.js';

/** A Lua script of the bus. */
export class RedisScript {
  readonly #script: LuaScript;

  constructor(lua: string) {
    this.#script = new LuaScript(lua);
  }

  /**
   * Bulk strings in the answer are Buffers.
   * @throws {BrokerUnavailableError}
   */
  run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    return redisCall(this.#script.run(client, keys, args));
  }
}
