import type { RedisClient } from '../../../../redis/index.js';
import { PartitionsDifferError } from '../../../bus.errors.js';
import { RedisScript } from '../script.js';
import type { StreamKeys } from './stream-keys.js';

/** KEYS: number of partitions. ARGV: the number to store if there is none yet. Returns the stored number. */
const storeCount = RedisScript.allowedWhenFull(`
redis.call('SETNX', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[1])
`);

/**
 * Makes sure that all processes divide a topic into the same number of partitions. Redis does not know how many
 * streams make up a topic. The first process that uses the topic stores the number; a process that is configured with
 * another number is refused.
 */
export class PartitionCounts {
  readonly #confirmed = new Map<string, Promise<void>>();

  constructor(
    private readonly client: RedisClient,
    private readonly keys: StreamKeys,
  ) {}

  /**
   * Resolves when the topic is known to have the configured number of partitions. Redis is asked once per topic.
   *
   * @throws {PartitionsDifferError}
   * @throws {BrokerUnavailableError}
   */
  confirm(topic: string): Promise<void> {
    let confirmed = this.#confirmed.get(topic);
    if (confirmed === undefined) {
      confirmed = this.#compare(topic);
      this.#confirmed.set(topic, confirmed);
      confirmed.catch(() => this.#confirmed.delete(topic));
    }
    return confirmed;
  }

  async #compare(topic: string): Promise<void> {
    const configured = this.keys.partitionsOf(topic).length;
    const key = this.keys.countOf(topic);
    const stored = Number(await storeCount.run(this.client, [key], [configured]));
    if (stored === configured) return;
    throw new PartitionsDifferError(
      `topic ${topic} has ${stored} partitions in Redis, but this process is configured for ${configured}: ` +
        `set drivers.redis.streams.partitions to ${stored}. To change the number instead, let the consumers empty ` +
        `the topic, stop every process that uses it, and delete the key ${key}`,
    );
  }
}
