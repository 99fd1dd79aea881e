import { createHash } from 'node:crypto';
import type { RedisClient } from '../../redis/index.js';
import { redisCall, redisUnavailable } from './redis.call.js';

/**
 * A Lua script, which Redis runs as one step. It is sent by its hash, and in full where a server does not know it yet (a
 * first use, a restart, a failover).
 */
export class RedisScript {
  readonly #sha: string;

  constructor(private readonly lua: string) {
    this.#sha = createHash('sha1').update(lua).digest('hex');
  }

  /**
   * Bulk strings in the answer are Buffers.
   * @throws {BrokerUnavailableError}
   */
  async run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args];
    try {
      return await client.callBuffer('EVALSHA', [this.#sha, ...rest]);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw redisUnavailable(error);
      return redisCall(client.callBuffer('EVAL', [this.lua, ...rest]));
    }
  }
}
