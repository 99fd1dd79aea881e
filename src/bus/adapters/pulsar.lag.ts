import { BrokerUnavailableError } from '../bus.errors.js';
import type { PartitionLag } from '../bus.port.js';
import type { PulsarDriverOptions } from './pulsar.options.js';
import type { PulsarTopic } from './pulsar.topic.js';

interface Stats {
  readonly subscriptions: Readonly<Record<string, { readonly msgBacklog: number }>>;
}

/**
 * Whether Pulsar can be asked how far a subscription is behind. That is a matter of its admin API, which is known to be where the
 * WebSocket API is; `fetch` trusts what the system trusts.
 */
export function canTellLag({ serviceUrl, tlsCaFile }: PulsarDriverOptions): boolean {
  return !serviceUrl.startsWith('pulsar') && tlsCaFile === undefined;
}

/** Nothing where there is no such topic or subscription. */
export async function lagOf(
  topic: PulsarTopic,
  subscription: string,
  options: PulsarDriverOptions,
): Promise<PartitionLag[]> {
  const whole = (await ask(topic, 'stats', options)) as Stats | undefined;
  if (whole !== undefined) return lagIn(whole, topic, 0, subscription);
  const split = (await ask(topic, 'partitioned-stats?perPartition=true', options)) as
    { readonly partitions: Readonly<Record<string, Stats>> } | undefined;
  return Object.entries(split?.partitions ?? {}).flatMap(([name, stats]) =>
    lagIn(stats, topic, Number(/-partition-(\d+)$/.exec(name)?.[1] ?? 0), subscription),
  );
}

function lagIn(stats: Stats, { name }: PulsarTopic, partition: number, subscription: string): PartitionLag[] {
  const backlog = stats.subscriptions[subscription]?.msgBacklog;
  return backlog === undefined ? [] : [{ topic: name, partition, records: backlog }];
}

async function ask(
  { tenant, namespace, localName }: PulsarTopic,
  what: string,
  { serviceUrl, token, connectTimeoutMs }: PulsarDriverOptions,
): Promise<unknown> {
  const base = serviceUrl.replace(/^ws/, 'http').replace(/\/+$/, '');
  const path = [tenant, namespace, localName].map(encodeURIComponent).join('/');
  try {
    const answer = await fetch(`${base}/admin/v2/persistent/${path}/${what}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(connectTimeoutMs),
    });
    if (answer.ok) return await answer.json();
    await answer.body?.cancel();
    if (answer.status === 404) return undefined;
    throw new Error(`HTTP ${answer.status}`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BrokerUnavailableError('pulsar', `it does not tell its backlog: ${reason}`, { cause });
  }
}
