import type { RedisClient } from '../../../redis/index.js';
import { createPartitions, hash, type Partition } from './partition.js';

/** Entries that one call reads: little work for both sides. */
const PAGE = 500;
/** The clocks of Redis servers may differ after a failover, and stream ids have a resolution of 1 ms. */
export const CLOCK_MARGIN_MS = 1_000;

export interface ReplayStreamsOptions {
  readonly keyPrefix: string;
  /** Number of streams over which the channels are spread. All processes must agree on it. */
  readonly streams: number;
  /** Approximate maximum number of entries in all streams together. */
  readonly maxEntries: number;
  readonly windowMs: number;
}

/** The last entry that this process added to a stream. */
export interface ReplayPosition {
  readonly key: string;
  readonly lastId: string;
  /** When it was added, by `performance.now()`. */
  readonly addedAt: number;
}

/**
 * The publications of the last seconds in a few Redis streams, for processes that were disconnected for a moment. Redis
 * assigns the times of the entries, so that the clocks of the processes do not matter.
 */
export class ReplayStreams {
  readonly partitions: readonly Partition[];
  /** Approximate maximum number of entries in one stream. */
  readonly maxPerStream: number;

  constructor(
    private readonly client: RedisClient,
    private readonly options: ReplayStreamsOptions,
  ) {
    const { keyPrefix, streams, maxEntries } = options;
    this.partitions = createPartitions(keyPrefix, streams);
    this.maxPerStream = Math.max(1, Math.ceil(maxEntries / streams));
  }

  /** Returns the partition of a route. */
  partitionOf(route: string): Partition {
    return this.partitions[hash(route) % this.partitions.length]!;
  }

  /**
   * Reads the entries that were added after `moment` (by `performance.now()`) and before this call. Calls `each` with
   * every envelope and the time at which it was added. Both times are exact to {@link CLOCK_MARGIN_MS}.
   */
  async readSince(
    moment: number,
    partitions: readonly Partition[],
    each: (envelope: Buffer, addedAt: number) => void,
  ): Promise<void> {
    const [seconds, microseconds] = await this.client.time();
    const redisNow = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
    const redisToLocal = performance.now() - redisNow;
    const from = Math.max(0, Math.floor(moment - redisToLocal - CLOCK_MARGIN_MS));
    for (const { key } of partitions) {
      // Read up to the newest id, not up to the time: after a failover to a server whose clock is slow, the ids are ahead of the time.
      const [newest] = await this.client.xrevrange(key, '+', '-', 'COUNT', 1);
      if (newest === undefined) continue;
      let start = String(from);
      for (let isLast = false; !isLast;) {
        const page = await this.client.xrangeBuffer(key, start, newest[0], 'COUNT', PAGE);
        for (const [id, fields] of page) {
          start = `(${id.toString()}`;
          if (fields[1] !== undefined) each(fields[1], Number.parseInt(id.toString(), 10) + redisToLocal);
        }
        isLast = page.length < PAGE;
      }
    }
  }

  /** Returns the last entry that this process added to each stream. */
  positions(): ReplayPosition[] {
    return this.partitions.flatMap(({ key, lastId, lastAddedAt: addedAt }) =>
      lastId === undefined ? [] : [{ key, lastId, addedAt }],
    );
  }

  /** Returns whether Redis has lost none of these entries. An entry that was trimmed is not lost. */
  async holds(positions: readonly ReplayPosition[]): Promise<boolean> {
    const held = await Promise.all(positions.map((position) => this.#holds(position)));
    return !held.includes(false);
  }

  async #holds({ key, lastId, addedAt }: ReplayPosition): Promise<boolean> {
    if ((await this.client.xrange(key, lastId, lastId)).length > 0) return true;
    // A stream remembers the last id that it assigned, even when it is empty.
    const newest = await this.#lastGenerated(key);
    if (newest === undefined || comesBefore(newest, lastId)) return false;
    const [oldest] = await this.client.xrange(key, '-', '+', 'COUNT', 1);
    if (oldest !== undefined && comesBefore(oldest[0], lastId)) return false;
    // All entries are newer. So this one was trimmed, by its age or by the number of entries.
    const isOld = performance.now() - addedAt > this.options.windowMs - CLOCK_MARGIN_MS;
    return isOld || (await this.client.xlen(key)) >= this.maxPerStream;
  }

  async #lastGenerated(key: string): Promise<string | undefined> {
    try {
      const facts = (await this.client.xinfo('STREAM', key)) as unknown[];
      return String(facts[facts.indexOf('last-generated-id') + 1]);
    } catch (error) {
      if (error instanceof Error && error.message.includes('no such key')) return undefined;
      throw error;
    }
  }

  /** Removes entries older than the window from the streams to which this process adds. Called regularly. */
  async trim(): Promise<void> {
    const { windowMs } = this.options;
    await Promise.all(
      this.partitions.map(async ({ key, lastId, lastAddedAt }) => {
        const age = performance.now() - lastAddedAt;
        if (lastId === undefined || age > 2 * windowMs) return; // no entry of this process is left
        const oldest = Math.floor(Number.parseInt(lastId, 10) + age - windowMs);
        await this.client.xtrim(key, 'MINID', Math.max(0, oldest));
      }),
    );
  }
}

/** Compares two ids of one stream, `ms-sequence`. */
function comesBefore(id: string, other: string): boolean {
  const [ms = 0, sequence = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherSequence = 0] = other.split('-').map(Number);
  return ms < otherMs || (ms === otherMs && sequence < otherSequence);
}
