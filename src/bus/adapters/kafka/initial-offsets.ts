import type { Consumer } from 'kafkajs';
import type { SubscribeOptions } from '../../bus.port.js';
import type { KafkaConnection } from './connection.js';

/**
 * Commits the offsets at which a new consumer group starts. Without them, a group that stops before its first commit would
 * start later than it began, and skip the records that were published in the meantime. The offsets are read before the member
 * joins the group, so no record is skipped.
 */
export class InitialOffsets {
  /** By topic and partition. */
  #offsets: ReadonlyMap<string, ReadonlyMap<number, string>> = new Map();

  constructor(
    private readonly connection: KafkaConnection,
    private readonly subscription: Pick<Required<SubscribeOptions>, 'topics' | 'group' | 'from'>,
  ) {}

  async read(): Promise<void> {
    const { admin } = await this.connection.link();
    const { topics, from } = this.subscription;
    const offsets = new Map<string, ReadonlyMap<number, string>>();
    for (const topic of topics) {
      const partitions = await admin.fetchTopicOffsets(topic);
      offsets.set(
        topic,
        new Map(partitions.map(({ partition, low, high }) => [partition, from === 'earliest' ? low : high])),
      );
    }
    this.#offsets = offsets;
  }

  /** Commits the offsets of those partitions for which the group has no committed offset. */
  async commit(consumer: Pick<Consumer, 'commitOffsets'>): Promise<void> {
    const { group, topics } = this.subscription;
    const { admin } = await this.connection.link();
    const committed = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
    const initial = committed.flatMap(({ topic, partitions }) =>
      partitions
        .filter(({ offset }) => offset === '-1')
        .map(({ partition }) => ({
          topic,
          partition,
          offset: this.#offsets.get(topic)?.get(partition) ?? '0',
        })),
    );
    if (initial.length > 0) await consumer.commitOffsets(initial);
  }
}
