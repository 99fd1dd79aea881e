import { crc32 } from 'node:zlib';
import { PartitionLease, type LeaseHolder } from './partition-lease.js';
import type { StreamKeys, StreamPartition } from './partition.js';
import { announceMember } from './stream-scripts.js';

/** What reads a partition while it is ours. */
export interface PartitionReader {
  /** Resolves when nothing of the partition is in hand any more. */
  stop(): Promise<void>;
}

/** A fixed share: partition p belongs to the worker p modulo `total`. */
export interface WorkerNumber {
  readonly id: number;
  readonly total: number;
}

interface Holding {
  readonly lease: PartitionLease;
  readonly reader: PartitionReader;
  /** On its way to another member; ours until its reader stopped. */
  leaving: Promise<void> | undefined;
}

interface Share {
  /** Those to take, the preferred first. */
  readonly wanted: readonly StreamPartition[];
  readonly count: number;
}

/**
 * Which partitions of a topic one member of a group reads. Members need no leader and send each other nothing:
 *
 * - Each announces itself in a set in Redis, again and again; one that is not heard of for the length of a lease does not count.
 * - From the members that it sees, each works out how many partitions are its share. Shares differ by one at most.
 * - Who has more lets go of some: the reader stops, then the lease is released. Who has fewer takes leases that nobody has.
 *
 * As a lease has one holder, members that see different ones at the same time may leave a partition unread for a moment,
 * but never read it together. What a member holds it keeps, as long as that is not more than its share.
 */
export class RedisAssignment {
  readonly #partitions: readonly StreamPartition[];
  readonly #membersKey: string;
  readonly #holdings = new Map<StreamPartition, Holding>();
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

  /** The partitions that it reads. */
  get held(): readonly number[] {
    return this.#kept().map(({ lease }) => lease.partition.number);
  }

  /**
   * One heartbeat: keeps what it holds, and moves towards its share. Answers whether it has it.
   * @throws {BrokerUnavailableError}
   */
  async beat(): Promise<boolean> {
    const share = await this.#share();
    await this.keep();
    for (const surplus of this.#kept().slice(share.count)) void this.#letGo(surplus);
    return (await this.#takeUpTo(share)) === share.count;
  }

  /**
   * Extends every lease, those included that are about to be released.
   * @throws {BrokerUnavailableError}
   */
  async keep(): Promise<void> {
    const holdings = [...this.#holdings.values()];
    try {
      await Promise.all(holdings.map(({ lease }) => lease.keep()));
    } finally {
      for (const holding of holdings) if (!holding.lease.isValid) void this.#letGo(holding);
    }
  }

  /** Leaves the group. Resolves when every partition is free for others; call `keep` meanwhile. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    const { client, member } = this.holder;
    // Without an answer, the others wait until the announcement has run out.
    const unannounced = client.zrem(this.#membersKey, member).catch(() => {});
    await Promise.all([...this.#holdings.values()].map((holding) => this.#letGo(holding)));
    await unannounced;
  }

  /** Takes free partitions until there are enough. Answers how many it has. */
  async #takeUpTo({ wanted, count }: Share): Promise<number> {
    let has = this.#kept().length;
    for (const partition of wanted) {
      if (has >= count || this.#isLeaving) break;
      // One that is being let go cannot be taken back before its reader stopped.
      if (this.#holdings.has(partition)) continue;
      const key = this.keys.leaseOf(partition, this.holder.group);
      const lease = await PartitionLease.take(partition, key, this.holder);
      if (lease === undefined) continue;
      this.#holdings.set(partition, { lease, reader: this.open(lease), leaving: undefined });
      has++;
    }
    return has;
  }

  #kept(): Holding[] {
    return [...this.#holdings.values()].filter(({ leaving }) => leaving === undefined);
  }

  #letGo(holding: Holding): Promise<void> {
    holding.leaving ??= (async () => {
      await holding.reader.stop();
      // A lease that cannot be released ends by itself.
      await holding.lease.release().catch(() => {});
      this.#holdings.delete(holding.lease.partition);
    })();
    return holding.leaving;
  }

  async #share(): Promise<Share> {
    if (this.worker !== undefined) {
      const { id, total } = this.worker;
      const wanted = this.#partitions.filter(({ number }) => number % total === id);
      return { wanted, count: wanted.length };
    }
    const { client, member, leaseMs } = this.holder;
    const answer = await announceMember.run(client, [this.#membersKey], [member, leaseMs]);
    return shareOf(member, this.topic, (answer as Buffer[]).map(String), this.#partitions);
  }
}

/** Where partitions cannot be divided evenly, the topic decides who has one more, so that it is not the same member everywhere. */
function shareOf(
  member: string,
  topic: string,
  members: readonly string[],
  partitions: readonly StreamPartition[],
): Share {
  const place = (name: string) => crc32(`${topic} ${name}`);
  const order = members.toSorted((one, other) => place(one) - place(other) || (one < other ? -1 : 1));
  const rank = order.indexOf(member);
  const count =
    Math.floor(partitions.length / order.length) + (rank < partitions.length % order.length ? 1 : 0);
  // Members begin at different places, so that they seldom reach for the same partition.
  const first = Math.floor((rank * partitions.length) / order.length);
  return { wanted: [...partitions.slice(first), ...partitions.slice(0, first)], count };
}
