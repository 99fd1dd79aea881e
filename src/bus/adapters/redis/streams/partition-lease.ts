import type { RedisClient } from '../../../../redis/index.js';
import type { StreamEntry } from './entry.js';
import type { Exchanges } from './read-ack-batcher.js';
import type { StreamPartition } from './partition.js';
import { claimInherited, keepLease, releaseLease, takeLease } from './stream-scripts.js';

export interface LeaseHolder {
  readonly client: RedisClient;
  readonly exchanges: Exchanges;
  readonly group: string;
  /** Name of the member, and of the consumer in Redis. Nobody else has it. */
  readonly member: string;
  readonly leaseMs: number;
}

interface Grant {
  readonly token: string;
  readonly position: string;
  readonly askedAt: number;
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
  /** Up to where the group had been given the stream. */
  readonly position: string;
  #token: string;
  #validUntil: number;

  private constructor(
    readonly partition: StreamPartition,
    private readonly key: string,
    private readonly holder: LeaseHolder,
    grant: Grant,
  ) {
    this.position = grant.position;
    this.#token = grant.token;
    this.#validUntil = this.#endOf(grant.askedAt);
  }

  /** Undefined while another member has the partition. */
  static async take(
    partition: StreamPartition,
    key: string,
    holder: LeaseHolder,
  ): Promise<PartitionLease | undefined> {
    const grant = await grantOf(partition, key, holder);
    return grant && new PartitionLease(partition, key, holder, grant);
  }

  /**
   * Begins anew with another token. What was asked with the one before and got no answer has taken effect by then, or
   * never will.
   */
  async retake(): Promise<void> {
    const grant = await grantOf(this.partition, this.key, this.holder);
    if (grant === undefined) {
      this.#validUntil = 0;
      return;
    }
    this.#token = grant.token;
    if (this.isValid) this.#validUntil = this.#endOf(grant.askedAt);
  }

  /** By this process's own clock, and careful: it turns false before anybody else can take the partition. */
  get isValid(): boolean {
    return performance.now() < this.#validUntil;
  }

  async keep(): Promise<void> {
    const { client, leaseMs } = this.holder;
    const token = this.#token;
    const askedAt = performance.now();
    const kept = await keepLease.run(client, [this.key], [token, leaseMs]);
    if (kept !== 1) this.#isLost(token);
    // One that had ended is not revived: its reader may have noticed.
    else if (this.isValid) this.#validUntil = this.#endOf(askedAt);
  }

  /** Lets others have the partition at once. */
  async release(): Promise<void> {
    this.#validUntil = 0;
    await releaseLease.run(this.holder.client, [this.key], [this.#token]);
  }

  /** Acknowledges `ids` and reads what the group was not given yet. */
  async read(count: number, ids: readonly string[]): Promise<readonly StreamEntry[]> {
    const { exchanges, group, member } = this.holder;
    const token = this.#token;
    const { stream } = this.partition;
    const entries = await exchanges.run({ lease: this.key, stream, token, group, member, count, ids });
    if (entries === null) this.#isLost(token);
    return entries ?? [];
  }

  /** Reads what was given to members before and not acknowledged, from `cursor` on. */
  async claim(
    cursor: string,
    count: number,
  ): Promise<{ readonly next: string; readonly entries: readonly StreamEntry[] }> {
    const { client, group, member } = this.holder;
    const token = this.#token;
    const keys = [this.key, this.partition.stream];
    const answer = await claimInherited.run(client, keys, [token, group, member, count, cursor]);
    if (answer === null) {
      this.#isLost(token);
      return { next: '0-0', entries: [] };
    }
    const [next, entries] = answer as [Buffer, (StreamEntry | null)[]];
    // Redis 6.2 answers nothing in place of an entry that was deleted.
    return { next: next.toString(), entries: entries.filter((entry) => entry !== null) };
  }

  /** Unless another token has taken its place meanwhile. */
  #isLost(token: string): void {
    if (token === this.#token) this.#validUntil = 0;
  }

  #endOf(grantedAt: number): number {
    return grantedAt + this.holder.leaseMs * (1 - MARGIN);
  }
}

async function grantOf(
  { stream }: StreamPartition,
  key: string,
  { client, member, group, leaseMs }: LeaseHolder,
): Promise<Grant | undefined> {
  const askedAt = performance.now();
  const answer = await takeLease.run(client, [key, stream], [member, group, leaseMs]);
  if (answer === null) return undefined;
  const [token, position] = answer as [Buffer, Buffer];
  return { token: token.toString(), position: position.toString(), askedAt };
}
