import { Semaphore } from '../../../async/index.js';
import { RecordRefusedError } from '../../../bus/index.js';
import type { ClientInfo } from '../../presence/client-info.js';
import { PresenceTooLargeError } from '../../delivery.errors.js';
import type { LuaScript } from '../../../redis/index.js';
import { routeOf } from '../../channels/address.js';
import { decodeClientInfo, encodeClientInfo } from '../../presence/client-info-bytes.js';
import type { Presence, PresenceStats } from '../../presence/presence.port.js';
import { add, members, remove, stats } from './presence-scripts.js';
import type { RedisPublisher } from './publisher.js';

/** A channel may have many clients. */
const CONCURRENT_LISTS = 16;

/**
 * The clients in the channels of all processes. Times are by the clock of Redis. Every call removes expired entries.
 */
export class RedisPresence implements Presence {
  readonly #semaphore = new Semaphore(CONCURRENT_LISTS);

  constructor(private readonly publisher: RedisPublisher) {}

  async add(channel: string, info: ClientInfo, ttlMs: number): Promise<void> {
    await this.#run(add, channel, [info.client, encode(info), Math.ceil(ttlMs)]);
  }

  async remove(channel: string, clientId: string): Promise<void> {
    await this.#run(remove, channel, [clientId]);
  }

  async members(channel: string, maxBytes = Number.MAX_SAFE_INTEGER): Promise<Map<string, ClientInfo>> {
    const entries = (await this.#semaphore.run(() => this.#run(members, channel, [maxBytes]))) as
      Buffer[] | null;
    if (entries === null) throw new PresenceTooLargeError(maxBytes);
    return new Map(
      entries.flatMap((entry) => {
        const info = decodeClientInfo(entry);
        return info === undefined ? [] : [[info.client, info] as const];
      }),
    );
  }

  async stats(channel: string): Promise<PresenceStats> {
    const [clients, users] = (await this.#run(stats, channel, [])) as [number, number];
    return { clients, users };
  }

  /** Does nothing: the connection belongs to the fan-out. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #run(script: LuaScript, channel: string, args: readonly (string | number | Buffer)[]): Promise<unknown> {
    const { tag } = this.publisher.replayStreams.partitionOf(routeOf(channel));
    const keys = ['presence', 'presence-until', 'presence-users'].map((kind) => `${tag}:${kind}:${channel}`);
    return this.publisher.call((client) => script.run(client, keys, args));
  }
}

function encode(info: ClientInfo): Buffer {
  try {
    return encodeClientInfo(info);
  } catch (cause) {
    throw new RecordRefusedError('the user or the id of the connection is too long', { cause });
  }
}
