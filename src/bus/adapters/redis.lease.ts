import type { RedisClient } from '../../redis/index.js';
import type { StreamEntry } from './redis.entry.js';
import type { Exchanges } from './redis.exchanges.js';
import type { StreamPartition } from './redis.partition.js';
import { claimInherited, keepLease, releaseLease, takeLease } from './redis.stream-scripts.js';

export interface LeaseHolder {
  readonly client: RedisClient;
  readonly exchanges: Exchanges;
  readonly group: string;
  /** Name of the member, and of the consumer in Redis. Nobody else has it. */
  readonly member: string;
  readonly leaseMs: number;
}

/** Of the time of a lease this part is not used, as clocks and answers are not exact. */
const MARGIN = 0.1;

/**
 * The right of one member to be the only one of its group that reads a partition.
 *
 * Whatever is done under it is a script that first compares the fencing token, in one step with the deed: a former owner
 * that does not know yet, or whose command comes late, changes nothing. A plain blocking XREADGROUP could not be
 * fenced: late, it would take records away from the new owner.
 */
export class PartitionLease {
  #validUntil: number;

  private constructor(
    readonly partition: StreamPartition,
    /** Up to where the group had been given the stream. */
    readonly position: string,
    private readonly key: string,
    private readonly token: string,
    private readonly holder: LeaseHolder,
    takenAt: number,
  ) {
    this.#validUntil = this.#endOf(takenAt);
  }

  /** Undefined while another member has the partition. */
  static async take(
    partition: StreamPartition,
    key: string,
    holder: LeaseHolder,
  ): Promise<PartitionLease | undefined> {
    const { client, member, group, leaseMs } = holder;
    const askedAt = performance.now();
    const answer = await takeLease.run(client, [key, partition.stream], [member, group, leaseMs]);
    if (answer === null) return undefined;
    const [token, position] = answer as [Buffer, Buffer];
    return new PartitionLease(partition, position.toString(), key, token.toString(), holder, askedAt);
  }

  /** By this process's own clock, and careful: it turns false before anybody else can take the partition. */
  get isValid(): boolean {
    return performance.now() < this.#validUntil;
  }

  async keep(): Promise<void> {
    const { client, leaseMs } = this.holder;
    const askedAt = performance.now();
    const kept = await keepLease.run(client, [this.key], [this.token, leaseMs]);
    // One that had ended is not revived: its reader may have noticed.
    if (kept !== 1) this.#validUntil = 0;
    else if (this.isValid) this.#validUntil = this.#endOf(askedAt);
  }

  /** Lets others have the partition at once. */
  async release(): Promise<void> {
    this.#validUntil = 0;
    await releaseLease.run(this.holder.client, [this.key], [this.token]);
  }

  /** Acknowledges `ids` and reads what the group was not given yet. */
  async read(count: number, ids: readonly string[]): Promise<readonly StreamEntry[]> {
    const { exchanges, group, member } = this.holder;
    const { stream } = this.partition;
    const exchange = { lease: this.key, stream, token: this.token, group, member, count, ids };
    const entries = await exchanges.run(exchange);
    if (entries === null) this.#validUntil = 0;
    return entries ?? [];
  }

  /** Reads what was given to members before and not acknowledged, from `cursor` on. */
  async claim(
    cursor: string,
    count: number,
  ): Promise<{ readonly next: string; readonly entries: readonly StreamEntry[] }> {
    const { client, group, member } = this.holder;
    const keys = [this.key, this.partition.stream];
    const answer = await claimInherited.run(client, keys, [this.token, group, member, count, cursor]);
    if (answer === null) {
      this.#validUntil = 0;
      return { next: '0-0', entries: [] };
    }
    const [next, entries] = answer as [Buffer, (StreamEntry | null)[]];
    // Redis 6.2 answers nothing in place of an entry that was deleted.
    return { next: next.toString(), entries: entries.filter((entry) => entry !== null) };
  }

  #endOf(grantedAt: number): number {
    return grantedAt + this.holder.leaseMs * (1 - MARGIN);
  }
}
