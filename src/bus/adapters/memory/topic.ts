import type { OutgoingRecord, ReceivedRecord } from '../../../message/index.js';

/** A topic in memory. Its partitions keep the records that a group has not acknowledged, and `retainedRecords` more. */
export class MemoryTopic {
  readonly partitions: readonly MemoryPartition[];
  #nextWithoutKey = 0;

  constructor(name: string, partitionCount: number, retainedRecords: number) {
    const retained = Math.ceil(retainedRecords / partitionCount);
    this.partitions = Array.from(
      { length: partitionCount },
      (_, number) => new MemoryPartition(name, number, retained),
    );
  }

  append(record: OutgoingRecord, publishedAt: number): MemoryPartition {
    const partition = this.#partitionFor(record.key);
    partition.append(record, publishedAt);
    return partition;
  }

  #partitionFor(key: string | undefined): MemoryPartition {
    const hash = key === undefined ? this.#nextWithoutKey++ : hashOf(key);
    const partition = this.partitions[hash % this.partitions.length];
    if (partition === undefined) throw new RangeError('a topic has at least one partition');
    return partition;
  }
}

export class MemoryPartition {
  #records: ReceivedRecord[] = [];
  /** The offset of the first record in `#records`. */
  #start = 0;
  /** By group: the offset of its first record that is not acknowledged. */
  readonly #settled = new Map<object, number>();

  constructor(
    readonly topic: string,
    readonly number: number,
    private readonly retained: number,
  ) {}

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#start + this.#records.length;
  }

  append(record: OutgoingRecord, publishedAt: number): void {
    const received: ReceivedRecord = {
      topic: this.topic,
      partition: this.number,
      position: String(this.end),
      ...(record.key === undefined ? {} : { key: record.key }),
      headers: record.headers ?? {},
      // A copy: the caller may change its buffer, or the buffer may be a view of a larger one that would be kept in memory.
      value: Buffer.from(record.value),
      publishedAt,
      attempt: 1,
    };
    this.#records.push(received);
    this.#trim();
  }

  read(offset: number, limit: number): readonly ReceivedRecord[] {
    const from = offset - this.#start;
    return this.#records.slice(from, from + limit);
  }

  /** Marks the records before `offset` as acknowledged by `reader`. */
  settle(reader: object, offset: number): void {
    this.#settled.set(reader, offset);
    this.#trim();
  }

  #trim(): void {
    let needed = this.end - this.retained;
    for (const offset of this.#settled.values()) if (offset < needed) needed = offset;
    const surplus = needed - this.#start;
    // Only in large steps, because it copies the records that stay.
    if (surplus < 256 || surplus < this.#records.length / 2) return;
    this.#records = this.#records.slice(surplus);
    this.#start = needed;
  }
}

/** FNV-1a over UTF-16 code units. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
