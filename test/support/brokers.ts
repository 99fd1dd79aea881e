/**
 * Real brokers for suites.
 *
 * ```ts
 * describeWith('kafka', 'KafkaBus', () => {
 *   beforeAll(async () => { const { url } = await sharedBroker('kafka'); … });
 * });
 * describeWithOwn('redis', 'RedisFanout after a crash', () => {
 *   beforeAll(async () => { redis = await startRedis({ appendOnly: true }); … });
 *   afterAll(() => redis.dispose());
 * });
 * ```
 *
 * If a broker is not available, the suite is skipped with a message. With CARILLON_REQUIRE_BROKERS=1 it fails.
 */
import { beforeAll } from '@jest/globals';
import type { BrokerAddress, BrokerKind } from '../../scripts/brokers/broker.ts';
import { download } from '../../scripts/brokers/cache.ts';
import type { HostNotice, Obstacles } from './broker-host.ts';
import { describeGiven } from './gate.ts';

export {
  type BrokerAddress,
  type BrokerKind,
  type Certificate,
  environmentOf,
  type HostAndPort,
  type KafkaOptions,
  makeCertificate,
  type PulsarOptions,
  type RedisOptions,
  type RunningBroker,
  type RunningPulsar,
  type RunningRedisCluster,
  type RunningRedisSentinel,
  startKafka,
  startPulsar,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '../../scripts/brokers/index.ts';

/** Long enough for a download on the first run, and for the slowest broker to start. */
const startTimeoutMs = 600_000;

/** Describes a suite that uses shared brokers. It must use fresh topics and keys, and must not stop the broker. */
export function describeWith(
  kinds: BrokerKind | readonly BrokerKind[],
  title: string,
  suite: () => void,
): void {
  const needed = [kinds].flat();
  gate(needed, notice().obstacles.shared, title, () => {
    // This hook has its own timeout, so that the suite's hooks do not need a longer one for the first start.
    beforeAll(async () => void (await Promise.all(needed.map(sharedBroker))), startTimeoutMs);
    suite();
  });
}

/** Describes a suite that starts its own brokers (`startKafka`, `startPulsar`, `startRedis`, …) and may stop and kill them. */
export function describeWithOwn(
  kinds: BrokerKind | readonly BrokerKind[],
  title: string,
  suite: () => void,
): void {
  const needed = [kinds].flat();
  gate(needed, notice().obstacles.own, title, () => {
    const downloads = needed.filter((kind) => kind !== 'redis');
    beforeAll(async () => void (await Promise.all(downloads.map(download))), startTimeoutMs);
    suite();
  });
}

/** Resolves with the address of the broker of this kind that all suites share. Starts the broker on the first call. */
export async function sharedBroker(kind: BrokerKind): Promise<BrokerAddress> {
  const response = await fetch(`${notice().url}/${kind}`);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as BrokerAddress;
}

function gate(needed: readonly BrokerKind[], obstacles: Obstacles, title: string, suite: () => void): void {
  const absent = Map.groupBy(
    needed.filter((kind) => obstacles[kind] !== undefined),
    (kind) => obstacles[kind],
  );
  const missing = [...absent].map(([reason, kinds]) => `${kinds.join(', ')} (${reason})`);
  describeGiven(missing, title, suite);
}

function notice(): HostNotice {
  return JSON.parse(process.env['CARILLON_BROKER_HOST'] ?? '') as HostNotice;
}
