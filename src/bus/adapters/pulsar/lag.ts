import { askAdmin } from './admin-api.js';
import { BrokerUnavailableError } from '../../bus.errors.js';
import type { PartitionLag } from '../../bus.port.js';
import type { PulsarDriverOptions } from './pulsar.options.js';
import type { PulsarTopic } from './topic.js';

interface Stats {
  readonly subscriptions: Readonly<Record<string, SubscriptionStats>>;
}

interface SubscriptionStats {
  readonly msgBacklog: number;
  /** How many messages of the backlog are not due yet. */
  readonly msgDelayed?: number;
  /** Time of the last acknowledgement of the present consumers. */
  readonly lastAckedTimestamp?: number;
  /** Time at which every message up to a later one was acknowledged. */
  readonly lastMarkDeleteAdvancedTimestamp?: number;
  readonly consumers?: readonly { readonly consumerName: string; readonly unackedMessages: number }[];
}

/**
 * Returns whether the lag of a subscription is available. It comes from the admin API, whose address is known only if
 * Pulsar is used over its WebSocket API, which has the same address.
 */
export function supportsLag({ serviceUrl }: PulsarDriverOptions): boolean {
  return !serviceUrl.startsWith('pulsar');
}

/**
 * Returns the lag per partition, or an empty list if there is no such topic or subscription.
 *
 * @param member the beginning of the names of this process's consumers; undefined if it does not belong to the subscription
 * @throws {BrokerUnavailableError}
 */
export async function lagOf(
  topic: PulsarTopic,
  subscription: string,
  options: PulsarDriverOptions,
  member?: string,
): Promise<PartitionLag[]> {
  const plain = (await request(topic, 'stats', options)) as Stats | undefined;
  if (plain !== undefined) return lagIn(plain.subscriptions[subscription], topic, 0, member);
  const partitioned = (await request(topic, 'partitioned-stats?perPartition=true', options)) as
    { readonly partitions: Readonly<Record<string, Stats>> } | undefined;
  return Object.entries(partitioned?.partitions ?? {}).flatMap(([name, stats]) =>
    lagIn(stats.subscriptions[subscription], topic, Number(/-partition-(\d+)$/.exec(name)?.[1] ?? 0), member),
  );
}

function lagIn(
  stats: SubscriptionStats | undefined,
  { name }: PulsarTopic,
  partition: number,
  member: string | undefined,
): PartitionLag[] {
  if (stats === undefined) return [];
  const { msgBacklog, msgDelayed = 0, lastAckedTimestamp, lastMarkDeleteAdvancedTimestamp } = stats;
  // Messages that are not due yet do not have to move.
  const acknowledged =
    lastAckedTimestamp === undefined || msgBacklog <= msgDelayed
      ? {}
      : { acknowledged: `${lastAckedTimestamp}/${lastMarkDeleteAdvancedTimestamp}` };
  const assignment = member === undefined ? {} : { isAssigned: isAssigned(stats, member) };
  return [{ topic: name, partition, records: msgBacklog, ...acknowledged, ...assignment }];
}

/**
 * Every member of a subscription reads every partition. So a backlog is a matter of those that hold messages of it, and of all
 * members if none does.
 */
function isAssigned({ consumers = [] }: SubscriptionStats, member: string): boolean {
  const own = consumers.filter(({ consumerName }) => consumerName.startsWith(member));
  const holding = consumers.filter(({ unackedMessages }) => unackedMessages > 0);
  return own.length > 0 && (holding.length === 0 || own.some((consumer) => holding.includes(consumer)));
}

async function request(
  { tenant, namespace, localName }: PulsarTopic,
  resource: string,
  options: PulsarDriverOptions,
): Promise<unknown> {
  const path = [tenant, namespace, localName].map(encodeURIComponent).join('/');
  try {
    const { status, body } = await askAdmin(`persistent/${path}/${resource}`, options);
    if (status === 200) return JSON.parse(body);
    if (status === 404) return undefined;
    throw new Error(`HTTP ${status}`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BrokerUnavailableError(
      'pulsar',
      `its admin API did not return the backlog of a subscription: ${reason}`,
      { cause },
    );
  }
}
