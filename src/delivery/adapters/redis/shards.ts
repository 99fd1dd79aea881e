import type { ClientInfo } from '../../presence/client-info.js';
import { routeOf } from '../../channels/address.js';
import type { Fanout } from '../../fanout.port.js';
import type { History, HistoryPage, HistoryQuery, PublishConditions } from '../../history/history.port.js';
import type { Presence, PresenceStats } from '../../presence/presence.port.js';
import type { Publication, StreamPosition } from '../../publications/publication.js';
import type { Registry } from '../../registry/registry.port.js';
import { hash } from './partition.js';

/** One of several Redis servers, with everything that it stores. */
export interface RedisShard {
  readonly fanout: Fanout;
  readonly history: History;
  readonly presence: Presence;
  readonly registry: Registry;
}

/**
 * Returns the index of the shard that owns a channel: the one with the highest weight (rendezvous hashing). So a shard
 * that is added to the end of the list takes over its share of the channels and moves no others.
 */
export function shardOf(channel: string, count: number): number {
  const key = hash(routeOf(channel));
  let winner = 0;
  let highest = -1;
  for (let index = 0; index < count; index++) {
    const weight = mix(key ^ Math.imul(index + 1, 0x9e3779b1));
    if (weight > highest) [winner, highest] = [index, weight];
  }
  return winner;
}

/** The finalizer of MurmurHash3, 32 bits. */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Several Redis servers as one: each owns some of the channels, with their history and presence. */
export class RedisShards {
  readonly fanout: Fanout = {
    repeats: true,
    publish: (publication: Publication): Promise<void> =>
      this.#of(publication.channel).fanout.publish(publication),
    subscribe: (channel: string): Promise<void> => this.#of(channel).fanout.subscribe(channel),
    unsubscribe: (channel: string): void => this.#of(channel).fanout.unsubscribe(channel),
    close: (): Promise<void> => this.#closeAll(({ fanout }) => fanout.close()),
  };

  readonly history: History = {
    publish: (publication: Publication, conditions: PublishConditions): Promise<StreamPosition | undefined> =>
      this.#of(publication.channel).history.publish(publication, conditions),
    read: (channel: string, query: HistoryQuery): Promise<HistoryPage> =>
      this.#of(channel).history.read(channel, query),
    remove: (channel: string): Promise<void> => this.#of(channel).history.remove(channel),
    close: (): Promise<void> => this.#closeAll(({ history }) => history.close()),
  };

  readonly presence: Presence = {
    add: (channel: string, info: ClientInfo, ttlMs: number): Promise<void> =>
      this.#of(channel).presence.add(channel, info, ttlMs),
    remove: (channel: string, clientId: string): Promise<void> =>
      this.#of(channel).presence.remove(channel, clientId),
    members: (channel: string, maxBytes?: number): Promise<Map<string, ClientInfo>> =>
      this.#of(channel).presence.members(channel, maxBytes),
    stats: (channel: string): Promise<PresenceStats> => this.#of(channel).presence.stats(channel),
    close: (): Promise<void> => this.#closeAll(({ presence }) => presence.close()),
  };

  constructor(private readonly shards: readonly RedisShard[]) {}

  /** Connections have no channel: all are on the first server. */
  get registry(): Registry {
    return this.shards[0]!.registry;
  }

  #of(channel: string): RedisShard {
    return this.shards[shardOf(channel, this.shards.length)]!;
  }

  async #closeAll(close: (shard: RedisShard) => Promise<void>): Promise<void> {
    await Promise.all(this.shards.map(close));
  }
}
