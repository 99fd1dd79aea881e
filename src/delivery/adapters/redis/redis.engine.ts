import type { RedisFanoutOptions } from '../../delivery.options.js';
import type { InterruptionHandler, PublicationHandler } from '../../fanout.port.js';
import type { ProbeEvents } from './probe.js';
import { RedisFanout, type RedisFanoutStatus } from './redis.fanout.js';
import { RedisHistory } from './redis.history.js';
import { RedisPresence } from './redis.presence.js';
import { RedisRegistry } from './redis.registry.js';
import { RedisShards, shardOf, type RedisShard } from './shards.js';

export interface RedisEngineContext {
  readonly handler: PublicationHandler;
  readonly onInterrupted: InterruptionHandler;
  readonly probes?: ProbeEvents;
  /** `shard` is the number of the server. Empty if there is only one. */
  readonly status: (shard: string) => RedisFanoutStatus;
}

/** Opens fan-out, history and presence over a pair of connections to each Redis. */
export async function openRedisEngine(
  options: RedisFanoutOptions,
  context: RedisEngineContext,
): Promise<RedisShard> {
  const { shards } = options;
  if (shards.length === 0) return openShard(options, context, '', context.onInterrupted);
  return new RedisShards(
    await Promise.all(
      shards.map((url, index) =>
        openShard({ ...options, url }, context, `${index + 1}`, (isAffected) =>
          context.onInterrupted(
            (channel) => shardOf(channel, shards.length) === index && isAffected(channel),
          ),
        ),
      ),
    ),
  );
}

async function openShard(
  options: RedisFanoutOptions,
  { handler, status, probes }: RedisEngineContext,
  shard: string,
  onInterrupted: InterruptionHandler,
): Promise<RedisShard> {
  const fanout = await RedisFanout.open(options, handler, status(shard), onInterrupted, probes);
  const { publisher } = fanout;
  return {
    fanout,
    history: new RedisHistory(publisher),
    presence: new RedisPresence(publisher),
    registry: new RedisRegistry(publisher, options.keyPrefix),
  };
}
