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
  /** Template with <prefix>, <topic> and <partition>. */
  readonly streamName: string;
  readonly partitions: number;
}

/** Every key that the bus has in Redis. */
export class StreamKeys {
  readonly #topics = new Map<string, readonly StreamPartition[]>();

  constructor(private readonly naming: StreamNaming) {}

  /** @throws {RecordRefusedError} */
  partitionsOf(topic: string): readonly StreamPartition[] {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      if (/[{}]/.test(topic)) throw new RecordRefusedError(`the topic ${topic} has a brace in its name`);
      partitions = Array.from({ length: this.naming.partitions }, (_, number) => ({
        topic,
        number,
        stream: this.#streamOf(topic, String(number)),
      }));
      this.#topics.set(topic, partitions);
    }
    return partitions;
  }

  /** In the same slot of a Cluster as the stream, so that one script may use both. */
  leaseOf({ stream }: StreamPartition, group: string): string {
    return `${stream.includes('{') ? stream : `{${stream}}`}:lease:${group}`;
  }

  membersOf(topic: string, group: string): string {
    return `${this.naming.keyPrefix}:members:{${topic}:${group}}`;
  }

  /** Where the number of its partitions is written down: beside the streams, whoever names them so. */
  countOf(topic: string): string {
    return this.#streamOf(topic, 'partitions');
  }

  #streamOf(topic: string, partition: string): string {
    const words: Record<string, string> = {
      '<prefix>': this.naming.keyPrefix,
      '<topic>': topic,
      '<partition>': partition,
    };
    return this.naming.streamName.replaceAll(/<(?:prefix|topic|partition)>/g, (word) => words[word] ?? word);
  }
}

/**
 * Which of `count` partitions a key belongs to: the CRC-32 (IEEE 802.3) of its UTF-8 bytes, modulo the number of
 * partitions. Every language has it at hand, so that other programs can write to the streams as well.
 */
export function partitionOfKey(key: string, count: number): number {
  return crc32(key) % count;
}
