import type { RedisClient } from '../../../../redis/index.js';
import type { PartitionLag } from '../../../bus.port.js';
import { redisCall } from '../call.js';
import type { StreamKeys, StreamPartition } from './stream-keys.js';
import { isLeaseHeld } from './stream-scripts.js';

/** Whether this process reads the partition; undefined if it does not belong to the group. */
export type IsAssigned = (partition: StreamPartition) => boolean | undefined;

/**
 * Returns how far a group is behind in each of these partitions. A partition is left out if Redis does not know its
 * lag: before Redis 7, and after single entries were deleted. A group that exists in none of them has no lag.
 * @throws {BrokerUnavailableError}
 */
export async function lagOf(
  client: RedisClient,
  keys: StreamKeys,
  group: string,
  partitions: readonly StreamPartition[],
  assigned: IsAssigned,
): Promise<PartitionLag[]> {
  const each = await Promise.all(
    partitions.map(async (partition) => {
      const fields = (await groupsOf(client, partition.stream)).find((known) => known.get('name') === group);
      return { partition, fields };
    }),
  );
  if (each.every(({ fields }) => fields === undefined)) return [];
  const lags = await Promise.all(
    each.map(async ({ partition, fields }) => {
      const backlog = fields === undefined ? await backlogOfNewcomer(client, partition) : backlogIn(fields);
      if (backlog === undefined) return [];
      const isAssigned = assigned(partition);
      const lag: PartitionLag = {
        topic: partition.topic,
        partition: partition.number,
        ...backlog,
        ...(isAssigned === undefined ? {} : { isAssigned }),
        hasReader: (await isLeaseHeld.run(client, [keys.leaseOf(partition, group)], [])) === 1,
      };
      return [lag];
    }),
  );
  return lags.flat();
}

type Backlog = Pick<PartitionLag, 'records' | 'acknowledged'>;

function backlogIn(fields: Map<unknown, unknown>): Backlog | undefined {
  const [unread, pending] = [fields.get('lag'), fields.get('pending')];
  if (typeof unread !== 'number' || typeof pending !== 'number') return undefined;
  return { records: unread + pending, acknowledged: acknowledgedIn(fields, pending) };
}

/** No member has ever read the partition. The first one begins with its first record. */
async function backlogOfNewcomer(client: RedisClient, { stream }: StreamPartition): Promise<Backlog> {
  return { records: await redisCall(client.xlen(stream)) };
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
