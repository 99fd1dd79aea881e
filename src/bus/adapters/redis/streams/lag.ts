import type { RedisClient } from '../../../../redis/index.js';
import type { PartitionLag } from '../../../bus.port.js';
import { redisCall } from '../call.js';
import type { StreamPartition } from './partition.js';

/**
 * How far a group is behind in each of these partitions. One is left out where Redis does not know: before Redis 7, and
 * after somebody deleted single entries.
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
      const [waiting, pending] = [fields?.get('lag'), fields?.get('pending')];
      if (typeof waiting !== 'number' || typeof pending !== 'number') return [];
      return [{ topic, partition: number, records: waiting + pending }];
    }),
  );
  return each.flat();
}

async function groupsOf(client: RedisClient, stream: string): Promise<Map<unknown, unknown>[]> {
  // A stream that nobody has used yet does not exist, which XINFO takes for an error.
  if ((await redisCall(client.exists(stream))) === 0) return [];
  const groups = (await redisCall(client.xinfo('GROUPS', stream))) as unknown[][];
  return groups.map((list) => new Map(list.flatMap((name, at) => (at % 2 ? [] : [[name, list[at + 1]]]))));
}
