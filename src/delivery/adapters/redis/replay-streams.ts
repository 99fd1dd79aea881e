import type { RedisClient } from '../../../redis/index.js';
import { SLOTS, slotOf } from './cluster-nodes.js';

/** Entries read in one call: a page is short work for either side. */
const PAGE = 500;
/** Redis clocks may differ after a failover, and stream ids are no finer than 1 ms. */
export const CLOCK_MARGIN_MS = 1_000;

export interface ReplayStreamsOptions {
  readonly keyPrefix: string;
  /** How many streams the publications are spread over. Processes that are to find each other's publications agree on it. */
  readonly streams: number;
  /** Most entries in all streams together, roughly. */
  readonly maxEntries: number;
  readonly windowMs: number;
}

export interface ReplayPosition {
  readonly key: string;
  readonly lastId: string;
  /** When it was added, on the clock of `performance.now()`. */
  readonly addedAt: number;
}

/** A part of the channels, with what belongs to them all. Everything that Redis has of its channels begins with `tag`. */
export interface Partition {
  /** Keeps the keys and the sharded channels of a partition together in a Cluster. */
  readonly tag: string;
  /** The stream of recent publications. */
  readonly key: string;
  /** The part of a Cluster's keys that all of this belongs to. */
  readonly slot: number;
  /** The id of the last entry that Redis took from here, `ms-sequence`; undefined before the first. */
  lastId: string | undefined;
  /** When that was, on the clock of `performance.now()`. */
  lastAddedAt: number;
}

/**
 * The publications of the last seconds, kept in a few Redis streams for processes that were cut off for a moment.
 * Redis stamps the entries, so that the clocks of processes do not matter.
 */
export class ReplayStreams {
  readonly partitions: readonly Partition[];
  /** Entries in one stream at most, roughly. */
  readonly maxPerStream: number;

  constructor(
    private readonly client: RedisClient,
    private readonly options: ReplayStreamsOptions,
  ) {
    const { keyPrefix, streams, maxEntries } = options;
    this.partitions = Array.from({ length: streams }, (_, index) => {
      const name = nameOf(keyPrefix, index, streams);
      const tag = `{${name}}`;
      return { tag, key: `${tag}:recent`, slot: slotOf(name), lastId: undefined, lastAddedAt: -Infinity };
    });
    this.maxPerStream = Math.max(1, Math.ceil(maxEntries / streams));
  }

  /** The partition that a route belongs to. */
  partitionOf(route: string): Partition {
    return this.partitions[hash(route) % this.partitions.length]!;
  }

  /**
   * Reads what was added after a moment on the clock of `performance.now()`, and before this call. `each` gets every envelope
   * with the moment at which it was added; both are exact to {@link CLOCK_MARGIN_MS}.
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
      // Not the time: after a failover to a server whose clock is behind, the ids of a stream are ahead of it.
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

  /** The last entry that Redis took from here, in each stream. */
  positions(): ReplayPosition[] {
    return this.partitions.flatMap(({ key, lastId, lastAddedAt: addedAt }) =>
      lastId === undefined ? [] : [{ key, lastId, addedAt }],
    );
  }

  /** Whether Redis has lost none of these entries. One that was dropped in its turn is not lost. */
  async holds(positions: readonly ReplayPosition[]): Promise<boolean> {
    const held = await Promise.all(positions.map((position) => this.#holds(position)));
    return !held.includes(false);
  }

  async #holds({ key, lastId, addedAt }: ReplayPosition): Promise<boolean> {
    if ((await this.client.xrange(key, lastId, lastId)).length > 0) return true;
    // A stream remembers the last id that it gave, also when it is empty.
    const newest = await this.#lastGenerated(key);
    if (newest === undefined || comesBefore(newest, lastId)) return false;
    const [oldest] = await this.client.xrange(key, '-', '+', 'COUNT', 1);
    if (oldest !== undefined && comesBefore(oldest[0], lastId)) return false;
    // All that is there came later: this one was dropped for its age, or for the number of those.
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

  /** Drops entries older than the window from the streams that this process adds to. Called regularly. */
  async trim(): Promise<void> {
    const { windowMs } = this.options;
    await Promise.all(
      this.partitions.map(async ({ key, lastId, lastAddedAt }) => {
        const age = performance.now() - lastAddedAt;
        if (lastId === undefined || age > 2 * windowMs) return; // nothing of ours is left
        const oldest = Math.floor(Number.parseInt(lastId, 10) + age - windowMs);
        await this.client.xtrim(key, 'MINID', Math.max(0, oldest));
      }),
    );
  }
}

/**
 * One whose slot is in the `index`th of `count` equal parts of all slots, so that the nodes of a Cluster have equally many
 * partitions. Left to itself, CRC-16 puts names that end in consecutive numbers close together.
 */
function nameOf(keyPrefix: string, index: number, count: number): string {
  for (let attempt = 0; ; attempt++) {
    const name = `${keyPrefix}:${index}${attempt === 0 ? '' : `.${attempt}`}`;
    if (Math.floor((slotOf(name) * count) / SLOTS) === index) return name;
  }
}

/** The Redis channel of a route. */
export function channelName({ tag }: Partition, route: string): string {
  return `${tag}:channel:${route}`;
}

/** Of two ids of one stream, `ms-sequence`. */
function comesBefore(id: string, other: string): boolean {
  const [ms = 0, sequence = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherSequence = 0] = other.split('-').map(Number);
  return ms < otherMs || (ms === otherMs && sequence < otherSequence);
}

/** Notes the id of an entry that Redis took from here. */
export function noteAdded(partition: Partition, id: string): void {
  partition.lastId = id;
  partition.lastAddedAt = performance.now();
}

/** FNV-1a, 32 bits. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}
