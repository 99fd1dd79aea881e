import { LuaScript, type RedisClient } from '../../../redis/index.js';
import { redisCall } from './call.js';

/**
 * At its memory limit, Redis lets a script add data only if it has written before. A write that changes nothing will do: no key
 * of these scripts expires.
 */
const alsoWhenFull = `redis.call('PERSIST', KEYS[1])`;

/** A Lua script of the bus. */
export class RedisScript {
  readonly #script: LuaScript;

  constructor(lua: string) {
    this.#script = new LuaScript(lua);
  }

  /**
   * One that runs also when Redis is at its memory limit, because what it adds is little and what it is needed for makes room:
   * without it a full server would never become empty again.
   */
  static makingRoom(lua: string): RedisScript {
    return new RedisScript(`${alsoWhenFull}\n${lua}`);
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
