import type { Admin } from 'kafkajs';
import type { PartitionLag } from '../../bus.port.js';
import { errorTypeOf, kafkaError } from './kafka.errors.js';

/**
 * Returns the lag of a group in each partition of a topic: the number of records from the committed offset (or, without one, from
 * the first record) to the end.
 *
 * @throws {BrokerUnavailableError}
 */
export async function lagOf(admin: Admin, group: string, topic: string): Promise<PartitionLag[]> {
  try {
    const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const next = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    const ends = await admin.fetchTopicOffsets(topic);
    return ends.map(({ partition, low, high }) => {
      const offset = next.get(partition) ?? -1;
      const records = Number(high) - Math.max(offset, Number(low));
      return { topic, partition, records, ...(offset < 0 ? {} : { acknowledged: String(offset) }) };
    });
  } catch (error) {
    if (errorTypeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return [];
    throw kafkaError(error);
  }
}
