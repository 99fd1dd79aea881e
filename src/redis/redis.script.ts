import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import type { RedisClient } from './redis.connection.js';

/**
 * A Lua script, which Redis runs as one step. It is sent in full once over each connection and by its hash from then on, so
 * that calls over one connection keep their order; and in full again where a server has forgotten it.
 */
export class LuaScript {
  readonly #sha: string;
  readonly #sentOver = new WeakSet<Redis['stream']>();

  constructor(private readonly lua: string) {
    this.#sha = createHash('sha1').update(lua).digest('hex');
  }

  /** Bulk strings in the answer are Buffers. Rejects with what the client rejects with. */
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
