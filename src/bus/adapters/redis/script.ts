import { LuaScript, type RedisClient } from '../../../redis/index.js';
import { redisCall } from './call.js';

/**
 * At its memory limit, Redis lets a script add data only if the script has written before. A write without effect is
 * enough: no key of these scripts expires.
 */
const writeBeforeAdding = `redis.call('PERSIST', KEYS[1])`;

/** A Lua script of the bus: its errors are errors of the bus. */
export class RedisScript extends LuaScript {
  /**
   * Creates a script that also runs when Redis is at its memory limit. For scripts that add little and are needed to
   * remove data: without them a full server could never become empty again.
   */
  static allowedWhenFull(lua: string): RedisScript {
    return new RedisScript(`${writeBeforeAdding}\n${lua}`);
  }

  /**
   * Returns the reply of the script, with bulk strings as Buffers.
   * @throws {BrokerUnavailableError}
   */
  override run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    return redisCall(super.run(client, keys, args));
  }
}
