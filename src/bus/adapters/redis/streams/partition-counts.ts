import type { RedisClient } from '../../../../redis/index.js';
import { PartitionsDifferError } from '../../../bus.errors.js';
import type { StreamKeys } from './partition.js';
import { RedisScript } from '../script.js';

/** KEYS: number of partitions. ARGV: what it is if nobody said so before. Answers what it is. */
const claimCount = RedisScript.makingRoom(`
redis.call('SETNX', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[1])
`);

/**
 * Redis does not know how many streams make up a topic, so whoever uses the topic first writes it down, and whoever is
 * configured otherwise is turned away.
 */
export class PartitionCounts {
  readonly #confirmed = new Map<string, Promise<void>>();

  constructor(
    private readonly client: RedisClient,
    private readonly keys: StreamKeys,
  ) {}

  /**
   * Asks once for each topic.
   *
   * @throws {PartitionsDifferError}
   * @throws {BrokerUnavailableError}
   */
  confirm(topic: string): Promise<void> {
    let confirmed = this.#confirmed.get(topic);
    if (confirmed === undefined) {
      confirmed = this.#ask(topic);
      this.#confirmed.set(topic, confirmed);
      confirmed.catch(() => this.#confirmed.delete(topic));
    }
    return confirmed;
  }

  async #ask(topic: string): Promise<void> {
    const own = this.keys.partitionsOf(topic).length;
    const key = this.keys.countOf(topic);
    const agreed = Number(await claimCount.run(this.client, [key], [own]));
    if (agreed === own) return;
    throw new PartitionsDifferError(
      `topic ${topic} has ${agreed} partitions in Redis, and this process is configured for ${own}: ` +
        `set drivers.redis.streams.partitions to ${agreed}. To change the number instead, let the consumers empty ` +
        `the topic, stop every process that uses it, and delete the key ${key}`,
    );
  }
}
