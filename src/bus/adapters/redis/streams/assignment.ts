import { crc32 } from 'node:zlib';
import { inBackground } from '../../../../async/index.js';
import { PartitionLease, type LeaseHolder } from './partition-lease.js';
import type { StreamKeys, StreamPartition } from './stream-keys.js';
import { announceMember } from './stream-scripts.js';

/** Reads a partition while this member owns it. */
export interface PartitionReader {
  /** Resolves when the handler has finished with all records of the partition. */
  stop(): Promise<void>;
}

/** A fixed share: partition p belongs to the worker p modulo `total`. */
export interface WorkerNumber {
  readonly id: number;
  readonly total: number;
}

interface OwnedPartition {
  readonly lease: PartitionLease;
  readonly reader: PartitionReader;
  /** Set while the partition is being released. It stays owned until its reader has stopped. */
  releasing: Promise<void> | undefined;
}

interface Share {
  /** The partitions that may be taken, preferred ones first. */
  readonly candidates: readonly StreamPartition[];
  readonly count: number;
}

/**
 * Decides which partitions of a topic one member of a group reads. There is no leader, and members send each other
 * nothing:
 *
 * - Each member announces itself in a Redis set with every heartbeat. An announcement expires after the length of a
 *   lease.
 * - From the members that it sees, each works out how many partitions are its share. Shares differ by one at most.
 * - A member with more than its share releases some: it stops the reader, then releases the lease. A member with
 *   fewer takes leases that are free.
 *
 * A lease has one holder. Members that see different sets of members may therefore leave a partition unread for a
 * moment, but two of them never read it at the same time. A member keeps the partitions that it owns as long as they
 * are not more than its share.
 */
export class PartitionAssignment {
  readonly #partitions: readonly StreamPartition[];
  readonly #membersKey: string;
  readonly #owned = new Map<StreamPartition, OwnedPartition>();
  #isLeaving = false;

  constructor(
    private readonly topic: string,
    private readonly keys: StreamKeys,
    private readonly holder: LeaseHolder,
    private readonly worker: WorkerNumber | undefined,
    private readonly open: (lease: PartitionLease) => PartitionReader,
  ) {
    this.#partitions = keys.partitionsOf(topic);
    this.#membersKey = keys.membersOf(topic, holder.group);
  }

  /** Numbers of the partitions that this member reads. */
  get owned(): readonly number[] {
    return this.#kept().map(({ lease }) => lease.partition.number);
  }

  isOwned(partition: StreamPartition): boolean {
    return this.#owned.has(partition);
  }

  /**
   * One heartbeat: extends the leases and moves towards the share. Returns whether this member has its share.
   * @throws {BrokerUnavailableError}
   */
  async heartbeat(): Promise<boolean> {
    const share = await this.#share();
    await this.extendLeases();
    for (const surplus of this.#kept().slice(share.count))
      inBackground('release of a partition', () => this.#release(surplus));
    return (await this.#takeUpTo(share)) === share.count;
  }

  /**
   * Extends every lease, including those of partitions that are being released.
   * @throws {BrokerUnavailableError}
   */
  async extendLeases(): Promise<void> {
    const all = [...this.#owned.values()];
    try {
      await Promise.all(all.map(({ lease }) => lease.extend()));
    } finally {
      for (const owned of all)
        if (!owned.lease.isValid) inBackground('release of a partition', () => this.#release(owned));
    }
  }

  /** Leaves the group. Resolves when other members may take every partition; call `extendLeases` until then. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    const { client, member } = this.holder;
    // If this fails, the other members wait until the announcement has expired.
    const withdrawn = client.zrem(this.#membersKey, member).catch(() => {});
    await Promise.all([...this.#owned.values()].map((owned) => this.#release(owned)));
    await withdrawn;
  }

  /** Takes free partitions until there are enough. Returns how many this member reads. */
  async #takeUpTo({ candidates, count }: Share): Promise<number> {
    let total = this.#kept().length;
    for (const partition of candidates) {
      if (total >= count || this.#isLeaving) break;
      // A partition that is being released cannot be taken back before its reader has stopped.
      if (this.#owned.has(partition)) continue;
      const key = this.keys.leaseOf(partition, this.holder.group);
      const lease = await PartitionLease.take(partition, key, this.holder);
      if (lease === undefined) continue;
      this.#owned.set(partition, { lease, reader: this.open(lease), releasing: undefined });
      total++;
    }
    return total;
  }

  #kept(): OwnedPartition[] {
    return [...this.#owned.values()].filter(({ releasing }) => releasing === undefined);
  }

  #release(owned: OwnedPartition): Promise<void> {
    owned.releasing ??= (async () => {
      await owned.reader.stop();
      // If the lease cannot be released, it expires.
      await owned.lease.release().catch(() => {});
      this.#owned.delete(owned.lease.partition);
    })();
    return owned.releasing;
  }

  async #share(): Promise<Share> {
    if (this.worker !== undefined) {
      const { id, total } = this.worker;
      const candidates = this.#partitions.filter(({ number }) => number % total === id);
      return { candidates, count: candidates.length };
    }
    const { client, member, leaseMs } = this.holder;
    const members = await announceMember.run(client, [this.#membersKey], [member, leaseMs]);
    return shareOf(member, this.topic, (members as Buffer[]).map(String), this.#partitions);
  }
}

/**
 * If partitions cannot be divided evenly, some members get one more than others. Which members these are depends on
 * the topic, so that it is not the same ones for every topic.
 */
function shareOf(
  member: string,
  topic: string,
  members: readonly string[],
  partitions: readonly StreamPartition[],
): Share {
  const hash = (name: string) => crc32(`${topic} ${name}`);
  const order = members.toSorted((one, other) => hash(one) - hash(other) || (one < other ? -1 : 1));
  const rank = order.indexOf(member);
  const count =
    Math.floor(partitions.length / order.length) + (rank < partitions.length % order.length ? 1 : 0);
  // Members start at different partitions, so that they seldom try to take the same one.
  const first = Math.floor((rank * partitions.length) / order.length);
  return { candidates: [...partitions.slice(first), ...partitions.slice(0, first)], count };
}
