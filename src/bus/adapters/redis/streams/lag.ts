import type { RedisClient } from '../../../../redis/index.js';
import type { PartitionLag } from '../../../bus.port.js';
import { redisCall } from '../call.js';
import type { StreamPartition } from './stream-keys.js';

/** Whether this process reads the partition; undefined if it does not belong to the group. */
export type IsAssigned = (partition: StreamPartition) => boolean | undefined;

/**
 * Returns how far a group is behind in each of these partitions. A partition is left out if Redis does not know its
 * lag: before Redis 7, and after single entries were deleted.
 * @throws {BrokerUnavailableError}
 */
export async function lagOf(
  client: RedisClient,
  group: string,
  partitions: readonly StreamPartition[],
  assigned: IsAssigned,
): Promise<PartitionLag[]> {
  const each = await Promise.all(
    partitions.map(async (partition) => {
      const groups = await groupsOf(client, partition.stream);
      const fields = groups.find((known) => known.get('name') === group);
      const [unread, pending] = [fields?.get('lag'), fields?.get('pending')];
      if (typeof unread !== 'number' || typeof pending !== 'number') return [];
      const isAssigned = assigned(partition);
      const lag: PartitionLag = {
        topic: partition.topic,
        partition: partition.number,
        records: unread + pending,
        acknowledged: acknowledgedIn(fields!, pending),
        ...(isAssigned === undefined ? {} : { isAssigned }),
      };
      return [lag];
    }),
  );
  return each.flat();
}

/** The number of acknowledged records. Redis does not count for a group that has read nothing since it was created. */
function acknowledgedIn(fields: Map<unknown, unknown>, pending: number): string {
  const read = fields.get('entries-read');
  return typeof read === 'number' ? String(read - pending) : String(fields.get('last-delivered-id'));
}

async function groupsOf(client: RedisClient, stream: string): Promise<Map<unknown, unknown>[]> {
  // XINFO returns an error for a stream that was never used, because it does not exist.
  if ((await redisCall(client.exists(stream))) === 0) return [];
  const groups = (await redisCall(client.xinfo('GROUPS', stream))) as unknown[][];
  return groups.map((list) => new Map(list.flatMap((name, at) => (at % 2 ? [] : [[name, list[at + 1]]]))));
}
