import { once } from 'node:events';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { readAuthorities } from '../../../tls/index.js';
import { BrokerUnavailableError } from '../../bus.errors.js';
import type { PartitionLag } from '../../bus.port.js';
import type { PulsarDriverOptions } from './pulsar.options.js';
import type { PulsarTopic } from './topic.js';

interface Stats {
  readonly subscriptions: Readonly<Record<string, { readonly msgBacklog: number }>>;
}

/**
 * Whether Pulsar can be asked how far a subscription is behind. That is a matter of its admin API, which is known to be where the
 * WebSocket API is.
 */
export function canTellLag({ serviceUrl }: PulsarDriverOptions): boolean {
  return !serviceUrl.startsWith('pulsar');
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
  options: PulsarDriverOptions,
): Promise<unknown> {
  const base = options.serviceUrl.replace(/^ws/, 'http').replace(/\/+$/, '');
  const path = [tenant, namespace, localName].map(encodeURIComponent).join('/');
  try {
    const { status, body } = await get(new URL(`${base}/admin/v2/persistent/${path}/${what}`), options);
    if (status === 200) return JSON.parse(body);
    if (status === 404) return undefined;
    throw new Error(`HTTP ${status}`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BrokerUnavailableError('pulsar', `it does not tell its backlog: ${reason}`, { cause });
  }
}

/** Not `fetch`, which can be told of no other authorities than the system's. */
async function get(
  url: URL,
  { token, tlsCaFile, connectTimeoutMs }: PulsarDriverOptions,
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const request = url.protocol === 'https:' ? secureRequest : plainRequest;
  const signal = AbortSignal.timeout(connectTimeoutMs);
  const asking = request(url, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal,
    ...readAuthorities(tlsCaFile),
  }).end();
  const [answer] = (await once(asking, 'response', { signal })) as [IncomingMessage];
  return { status: answer.statusCode, body: await text(answer) };
}
