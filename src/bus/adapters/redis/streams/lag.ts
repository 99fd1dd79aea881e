import type { RedisClient } from '../../../../redis/index.js';
import type { PartitionLag } from '../../../bus.port.js';
import { redisCall } from '../call.js';
import type { StreamPartition } from './stream-keys.js';

/**
 * Returns how far a group is behind in each of these partitions. A partition is left out if Redis does not know its
 * lag: before Redis 7, and after single entries were deleted.
 * @throws {BrokerUnavailableError}
 */
export async function lagOf(
  client: RedisClient,
  group: string,
  partitions: readonly StreamPartition[],
): Promise<PartitionLag[]> {
  const each = await Promise.all(
    partitions.map(async ({ topic, number, stream }) => {
      const fields = (await groupsOf(client, stream)).find((known) => known.get('name') === group);
      const [unread, pending] = [fields?.get('lag'), fields?.get('pending')];
      if (typeof unread !== 'number' || typeof pending !== 'number') return [];
      return [{ topic, partition: number, records: unread + pending }];
    }),
  );
  return each.flat();
}

async function groupsOf(client: RedisClient, stream: string): Promise<Map<unknown, unknown>[]> {
  // XINFO returns an error for a stream that was never used, because it does not exist.
  if ((await redisCall(client.exists(stream))) === 0) return [];
  const groups = (await redisCall(client.xinfo('GROUPS', stream))) as unknown[][];
  return groups.map((list) => new Map(list.flatMap((name, at) => (at % 2 ? [] : [[name, list[at + 1]]]))));
}
