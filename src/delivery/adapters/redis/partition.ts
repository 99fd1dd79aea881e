import { slotOf, SLOTS } from './cluster-nodes.js';

/** A part of the channels. All of its keys and Redis channels begin with `tag`. */
export interface Partition {
  /** A hash tag, which keeps the keys and the sharded channels of a partition on one node of a Cluster. */
  readonly tag: string;
  /** The key of the replay stream. */
  readonly key: string;
  /** The Cluster slot of all of its keys. */
  readonly slot: number;
  /**
   * The id of the last entry that this process added to the replay stream, `ms-sequence`. Undefined before the first
   * one.
   */
  lastId: string | undefined;
  /** When it was added, by `performance.now()`. */
  lastAddedAt: number;
}

export function createPartitions(keyPrefix: string, count: number): readonly Partition[] {
  return Array.from({ length: count }, (_, index) => {
    const name = nameOf(keyPrefix, index, count);
    const tag = `{${name}}`;
    return { tag, key: `${tag}:recent`, slot: slotOf(name), lastId: undefined, lastAddedAt: -Infinity };
  });
}

/**
 * Returns a name whose slot is in the `index`th of `count` equal parts of all slots, so that every node of a Cluster
 * owns about as many partitions. CRC-16 would put names that end in consecutive numbers close together.
 */
function nameOf(keyPrefix: string, index: number, count: number): string {
  for (let attempt = 0; ; attempt++) {
    const name = `${keyPrefix}:${index}${attempt === 0 ? '' : `.${attempt}`}`;
    if (Math.floor((slotOf(name) * count) / SLOTS) === index) return name;
  }
}

/** Returns the Redis channel of a route. */
export function channelName({ tag }: Partition, route: string): string {
  return `${tag}:channel:${route}`;
}

/** Remembers the id of an entry that this process added to the replay stream. */
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
