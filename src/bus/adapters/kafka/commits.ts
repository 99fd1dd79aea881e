import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { OffsetsByTopicPartition } from 'kafkajs';
import { isGenerationOver, reasonOf } from './kafka.errors.js';

export type CommitOffsets = (offsets: OffsetsByTopicPartition) => Promise<void>;

const RETRY_DELAY_MS = 250;

/**
 * Commits the offsets of handled records. One commit is in progress at a time; the next one carries everything that was handled
 * in the meantime, so handlers never wait for a commit. A failed commit is repeated together with newer offsets.
 */
export class KafkaCommits {
  readonly #logger = new Logger('KafkaBus');
  /** By topic and partition: the offset after the last handled record. */
  #pending = new Map<string, Map<number, string>>();
  #committing: Promise<void> | undefined;

  constructor(private readonly group: string) {}

  get isPending(): boolean {
    return this.#committing !== undefined;
  }

  mark(topic: string, partition: number, offset: string, commit: CommitOffsets): void {
    let partitions = this.#pending.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#pending.set(topic, partitions);
    }
    partitions.set(partition, offset);
    this.#committing ??= this.#commitAll(commit).finally(() => {
      this.#committing = undefined;
    });
  }

  /** Discards the offsets that are not committed yet. The next owners of the partitions handle those records again. */
  discard(): void {
    this.#pending = new Map();
  }

  async flushed(): Promise<void> {
    await this.#committing;
  }

  async #commitAll(commit: CommitOffsets): Promise<void> {
    // Offsets that are marked in this event-loop turn join the same commit.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#pending.size > 0) {
      const offsets = this.#pending;
      this.#pending = new Map();
      try {
        await commit(requestOf(offsets));
      } catch (error) {
        await this.#onFailure(offsets, error);
      }
    }
  }

  async #onFailure(offsets: Map<string, Map<number, string>>, error: unknown): Promise<void> {
    if (isGenerationOver(error)) {
      this.#logger.warn(
        `Kafka consumer group ${this.group}: partitions were rebalanced before a commit, so some records are delivered again`,
      );
      return;
    }
    this.#logger.warn(
      `Kafka consumer group ${this.group}: commit failed, retrying in ${RETRY_DELAY_MS} ms: ${reasonOf(error)}`,
    );
    const current = this.#pending;
    await delay(RETRY_DELAY_MS);
    // Nothing is restored if `discard` was called during the pause.
    if (this.#pending !== current) return;
    for (const [topic, partitions] of offsets) {
      const newer = current.get(topic);
      current.set(topic, newer === undefined ? partitions : new Map([...partitions, ...newer]));
    }
  }
}

function requestOf(offsets: Map<string, Map<number, string>>): OffsetsByTopicPartition {
  return {
    topics: Array.from(offsets, ([topic, partitions]) => ({
      topic,
      partitions: Array.from(partitions, ([partition, offset]) => ({ partition, offset })),
    })),
  };
}
