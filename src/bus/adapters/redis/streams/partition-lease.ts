import type { RedisClient } from '../../../../redis/index.js';
import type { StreamEntry } from './entry.js';
import type { ReadAckBatcher } from './read-ack-batcher.js';
import type { StreamPartition } from './stream-keys.js';
import { claimPending, extendLease, releaseLease, takeLease } from './stream-scripts.js';

export interface LeaseHolder {
  readonly client: RedisClient;
  readonly batcher: ReadAckBatcher;
  readonly group: string;
  /** Unique name of the member, which is also its consumer name in Redis. */
  readonly member: string;
  readonly leaseMs: number;
}

interface Grant {
  readonly token: string;
  readonly position: string;
  readonly requestedAt: number;
}

/** This part of a lease's time is not used, because clocks and replies are not exact. */
const MARGIN = 0.1;

/**
 * The right of one member to be the only one of its group that reads a partition.
 *
 * Every action under the lease is a script that compares the fencing token first, in the same atomic step. A former
 * owner that has not noticed yet, or whose command arrives late, changes nothing. A plain blocking XREADGROUP could
 * not be fenced: when late, it would take records away from the new owner.
 */
export class PartitionLease {
  /** The last id that was delivered to the group before this lease was taken. */
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
    this.#validUntil = this.#endOf(grant.requestedAt);
  }

  /** Resolves to undefined while another member owns the partition. */
  static async take(
    partition: StreamPartition,
    key: string,
    holder: LeaseHolder,
  ): Promise<PartitionLease | undefined> {
    const grant = await requestLease(partition, key, holder);
    return grant && new PartitionLease(partition, key, holder, grant);
  }

  /**
   * Takes the lease again with a new token. A command that was sent with the former token and got no reply has taken
   * effect by then, or never will.
   */
  async retake(): Promise<void> {
    const grant = await requestLease(this.partition, this.key, this.holder);
    if (grant === undefined) {
      this.#validUntil = 0;
      return;
    }
    this.#token = grant.token;
    if (this.isValid) this.#validUntil = this.#endOf(grant.requestedAt);
  }

  /**
   * Measured by this process's own clock, with a margin: it turns false before another member can take the partition.
   */
  get isValid(): boolean {
    return performance.now() < this.#validUntil;
  }

  async extend(): Promise<void> {
    const { client, leaseMs } = this.holder;
    const token = this.#token;
    const requestedAt = performance.now();
    const extended = await extendLease.run(client, [this.key], [token, leaseMs]);
    if (extended !== 1) this.#invalidate(token);
    // A lease that had ended does not become valid again: its reader may have noticed.
    else if (this.isValid) this.#validUntil = this.#endOf(requestedAt);
  }

  /** Lets other members take the partition at once. */
  async release(): Promise<void> {
    this.#validUntil = 0;
    await releaseLease.run(this.holder.client, [this.key], [this.#token]);
  }

  /** Acknowledges `ids` and reads records that were not delivered to the group yet. */
  async read(count: number, ids: readonly string[]): Promise<readonly StreamEntry[]> {
    const { batcher, group, member } = this.holder;
    const token = this.#token;
    const { stream } = this.partition;
    const entries = await batcher.run({ lease: this.key, stream, token, group, member, count, ids });
    if (entries === null) this.#invalidate(token);
    return entries ?? [];
  }

  /** Reads, from `cursor` on, what was delivered to earlier owners and not acknowledged. */
  async claim(
    cursor: string,
    count: number,
  ): Promise<{ readonly next: string; readonly entries: readonly StreamEntry[] }> {
    const { client, group, member } = this.holder;
    const token = this.#token;
    const keys = [this.key, this.partition.stream];
    const reply = await claimPending.run(client, keys, [token, group, member, count, cursor]);
    if (reply === null) {
      this.#invalidate(token);
      return { next: '0-0', entries: [] };
    }
    const [next, entries] = reply as [Buffer, StreamEntry[]];
    return { next: next.toString(), entries };
  }

  /** Does nothing if the token was replaced in the meantime. */
  #invalidate(token: string): void {
    if (token === this.#token) this.#validUntil = 0;
  }

  #endOf(startedAt: number): number {
    return startedAt + this.holder.leaseMs * (1 - MARGIN);
  }
}

async function requestLease(
  { stream }: StreamPartition,
  key: string,
  { client, member, group, leaseMs }: LeaseHolder,
): Promise<Grant | undefined> {
  const requestedAt = performance.now();
  const reply = await takeLease.run(client, [key, stream], [member, group, leaseMs]);
  if (reply === null) return undefined;
  const [token, position] = reply as [Buffer, Buffer];
  return { token: token.toString(), position: position.toString(), requestedAt };
}
