import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import type { RedisClient } from './redis.connection.js';

/**
 * A Lua script, which Redis runs as one atomic step. The full script is sent once per connection, and its hash from
 * then on, so that calls over one connection keep their order. If a server has forgotten the script, the full script
 * is sent again.
 */
export class LuaScript {
  readonly #sha: string;
  readonly #sentOver = new WeakSet<Redis['stream']>();

  constructor(private readonly lua: string) {
    this.#sha = createHash('sha1').update(lua).digest('hex');
  }

  /** Returns the reply of the script, with bulk strings as Buffers. Rejects with the error of the client. */
  async run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args];
    if (client instanceof Redis && client.status === 'ready' && !this.#sentOver.has(client.stream)) {
      this.#sentOver.add(client.stream);
      return client.callBuffer('EVAL', [this.lua, ...rest]);
    }
    try {
      return await client.callBuffer('EVALSHA', [this.#sha, ...rest]);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return client.callBuffer('EVAL', [this.lua, ...rest]);
    }
  }
}
