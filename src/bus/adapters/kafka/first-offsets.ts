import type { Consumer } from 'kafkajs';
import type { SubscribeOptions } from '../../bus.port.js';
import type { KafkaConnection } from './connection.js';

/**
 * Makes Kafka remember where a new group began. Otherwise a group that dies before its first record begins anew
 * later, and what was published meanwhile is lost. The offsets are read before joining, so none is skipped.
 */
export class FirstOffsets {
  /** By topic, one for each partition. */
  #offsets: ReadonlyMap<string, ReadonlyMap<number, string>> = new Map();

  constructor(
    private readonly connection: KafkaConnection,
    private readonly subscription: Required<SubscribeOptions>,
  ) {}

  async find(): Promise<void> {
    const { admin } = await this.connection.link();
    const { topics, from } = this.subscription;
    const found = new Map<string, ReadonlyMap<number, string>>();
    for (const topic of topics) {
      const partitions = await admin.fetchTopicOffsets(topic);
      found.set(
        topic,
        new Map(partitions.map(({ partition, low, high }) => [partition, from === 'earliest' ? low : high])),
      );
    }
    this.#offsets = found;
  }

  /** Where the group has committed nothing yet, and only there. */
  async commit(consumer: Pick<Consumer, 'commitOffsets'>): Promise<void> {
    const { group, topics } = this.subscription;
    const { admin } = await this.connection.link();
    const known = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
    const first = known.flatMap(({ topic, partitions }) =>
      partitions
        .filter(({ offset }) => offset === '-1')
        .map(({ partition }) => ({
          topic,
          partition,
          offset: this.#offsets.get(topic)?.get(partition) ?? '0',
        })),
    );
    if (first.length > 0) await consumer.commitOffsets(first);
  }
}
