import { crc32 } from 'node:zlib';
import { RecordRefusedError } from '../../../bus.errors.js';

/** One of the streams that make up a topic. */
export interface StreamPartition {
  readonly topic: string;
  readonly number: number;
  /** Key of the stream. */
  readonly stream: string;
}

export interface StreamNaming {
  readonly keyPrefix: string;
  /** Template with <prefix>, <topic> and <partition>. Without <partition>, a topic has one stream. */
  readonly streamName: string;
  readonly partitions: number;
}

/** Names every key that the bus has in Redis. */
export class StreamKeys {
  readonly #topics = new Map<string, readonly StreamPartition[]>();

  constructor(private readonly naming: StreamNaming) {}

  /** @throws {RecordRefusedError} */
  partitionsOf(topic: string): readonly StreamPartition[] {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      if (/[{}]/.test(topic)) {
        throw new RecordRefusedError(`topic ${topic}: the name of a topic must not contain { or }`);
      }
      partitions = Array.from({ length: this.naming.partitions }, (_, number) => ({
        topic,
        number,
        stream: this.#streamOf(topic, String(number)),
      }));
      this.#topics.set(topic, partitions);
    }
    return partitions;
  }

  /** Returns a key in the same Cluster slot as the stream, so that one script may use both. */
  leaseOf({ stream }: StreamPartition, group: string): string {
    return `${stream.includes('{') ? stream : `{${stream}}`}:lease:${group}`;
  }

  membersOf(topic: string, group: string): string {
    return `${this.naming.keyPrefix}:members:{${topic}:${group}}`;
  }

  /**
   * Returns the key that holds the number of partitions of the topic. It is named by the same template as the
   * streams, so that two deployments that share streams also share this number.
   */
  countOf(topic: string): string {
    if (!this.naming.streamName.includes('<partition>')) return `${this.#streamOf(topic, '')}:partitions`;
    return this.#streamOf(topic, 'partitions');
  }

  #streamOf(topic: string, partition: string): string {
    const values: Record<string, string> = {
      '<prefix>': this.naming.keyPrefix,
      '<topic>': topic,
      '<partition>': partition,
    };
    return this.naming.streamName.replaceAll(/<(?:prefix|topic|partition)>/g, (name) => values[name] ?? name);
  }
}

/**
 * Returns which of `count` partitions a key belongs to: the CRC-32 (IEEE 802.3) of its UTF-8 bytes, modulo the number
 * of partitions. CRC-32 is available in every language, so that other programs can write to the streams as well.
 */
export function partitionOfKey(key: string, count: number): number {
  return crc32(key) % count;
}
