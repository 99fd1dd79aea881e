import { Logger } from '@nestjs/common';
import type { OffsetsByTopicPartition } from 'kafkajs';
import { isGenerationOver } from './kafka.errors.js';

export type CommitOffsets = (offsets: OffsetsByTopicPartition) => Promise<void>;

const RETRY_DELAY_MS = 250;

/**
 * Acknowledges what was handled. One commit is under way at a time, and the next one carries whatever was handled meanwhile, so
 * that handlers never wait for one. A commit that fails is made again with what has come since.
 */
export class KafkaCommits {
  readonly #logger = new Logger('KafkaBus');
  /** By topic and partition: the offset that follows the last handled record. */
  #due = new Map<string, Map<number, string>>();
  #committing: Promise<void> | undefined;

  constructor(private readonly group: string) {}

  get isPending(): boolean {
    return this.#committing !== undefined;
  }

  mark(topic: string, partition: number, offset: string, commit: CommitOffsets): void {
    let partitions = this.#due.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#due.set(topic, partitions);
    }
    partitions.set(partition, offset);
    this.#committing ??= this.#commitAll(commit).finally(() => {
      this.#committing = undefined;
    });
  }

  /** Forgets what is not committed yet: it is for the partitions' next owners to handle again. */
  forget(): void {
    this.#due = new Map();
  }

  async flushed(): Promise<void> {
    await this.#committing;
  }

  async #commitAll(commit: CommitOffsets): Promise<void> {
    // What is handled in this turn goes with it.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#due.size > 0) {
      const due = this.#due;
      this.#due = new Map();
      try {
        await commit(requestOf(due));
      } catch (error) {
        await this.#settleFailure(due, error);
      }
    }
  }

  async #settleFailure(due: Map<string, Map<number, string>>, error: unknown): Promise<void> {
    if (isGenerationOver(error)) {
      this.#logger.warn(`group ${this.group} was dealt anew before a commit: some records come again`);
      return;
    }
    this.#logger.warn(`group ${this.group} could not commit, and tries again: ${String(error)}`);
    const current = this.#due;
    await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
    // Nothing is put back when `forget` was called meanwhile.
    if (this.#due !== current) return;
    for (const [topic, partitions] of due) {
      const newer = current.get(topic);
      current.set(topic, newer === undefined ? partitions : new Map([...partitions, ...newer]));
    }
  }
}

function requestOf(due: Map<string, Map<number, string>>): OffsetsByTopicPartition {
  return {
    topics: Array.from(due, ([topic, partitions]) => ({
      topic,
      partitions: Array.from(partitions, ([partition, offset]) => ({ partition, offset })),
    })),
  };
}
