import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  describeWithOwn,
  startKafka,
  startPulsar,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
  type HostAndPort,
  type RunningBroker,
  type RunningPulsar,
} from '../../support/brokers.js';
import { Server, type RawClient } from '../../support/server.js';
import { WAIT_MS } from '../../support/wait-ms.js';

const MESSAGES = 10_000;
const LONGEST_DELAY_MS = 20_000;
const CLIENTS = 10;

/** One message: when it is due, and whether it was accepted. */
interface Entry {
  readonly body: string;
  readonly client: RawClient;
  readonly dueAt: number;
  accepted: boolean;
}

/** One shape of Redis, and what goes wrong with it. */
interface RedisShape {
  readonly name: string;
  start(): Promise<{
    /** Settings of the servers, below `bus.drivers.redis` and below `delivery.fanout`. */
    readonly settings: Readonly<Record<string, string>>;
    readonly disturb: () => Promise<void>;
    readonly dispose: () => Promise<void>;
  }>;
}

const oneServer: RedisShape = {
  name: 'redis',
  start: async () => {
    const redis = await startRedis({ appendOnly: true });
    return {
      settings: { URL: redis.url },
      disturb: () => restart(redis),
      dispose: () => redis.dispose(),
    };
  },
};

const behindSentinels: RedisShape = {
  name: 'redis behind Sentinels, whose primary is killed',
  start: async () => {
    const redis = await startRedisSentinel();
    const { brokers, sentinels, name } = redis;
    return {
      settings: { URL: 'redis://sentinels', SENTINELS: addresses(sentinels), SENTINEL_MASTER: name },
      disturb: () => brokers[0]!.kill(),
      dispose: () => redis.dispose(),
    };
  },
};

const cluster: RedisShape = {
  name: 'a Redis Cluster, one of whose primaries is killed',
  start: async () => {
    const redis = await startRedisCluster({ replicas: 1 });
    const { brokers, nodes } = redis;
    return {
      settings: { URL: 'redis://cluster', CLUSTER_NODES: addresses(nodes) },
      disturb: () => brokers[0]!.kill(),
      dispose: () => redis.dispose(),
    };
  },
};

function addresses(nodes: readonly HostAndPort[]): string {
  return nodes.map(({ host, port }) => `${host}:${port}`).join();
}

async function restart(broker: RunningBroker): Promise<void> {
  await broker.stop();
  await delay(1_000);
  await broker.restart();
}

/**
 * Sends random messages over three processes while one process is killed and a broker is disturbed. Every accepted message has to
 * arrive, none twice and none early. A failover of Redis may lose what was not replicated yet, and with it the memory that a message
 * was delivered: then one may arrive twice.
 */
describeWithOwn(['kafka', 'pulsar', 'redis'], 'a killed process and a disturbed broker', () => {
  let kafka: RunningBroker;
  let pulsar: RunningPulsar;
  beforeAll(async () => {
    [kafka, pulsar] = await Promise.all([startKafka(), startPulsar()]);
  });
  afterAll(async () => {
    await Promise.all([kafka.dispose(), pulsar.dispose()]);
  });

  // oxlint-disable-next-line jest/expect-expect -- the function has them
  it.each([
    ['kafka', oneServer, () => restart(kafka)],
    ['pulsar', oneServer, () => restart(pulsar)],
    ['redis', oneServer, undefined],
    [behindSentinels.name, behindSentinels, undefined],
    [cluster.name, cluster, undefined],
  ] as const)(
    `when the broker is %s delivers each of ${MESSAGES} messages once, and not early`,
    async (disturbed, shape, disturbBroker) => {
      const redis = await shape.start();
      try {
        const restartBroker = disturbBroker ?? redis.disturb;
        const mostTwice = shape === oneServer ? 0 : MESSAGES * 0.01;
        await expectEachOnce(disturbed, redis.settings, restartBroker, mostTwice);
      } finally {
        await redis.dispose();
      }
    },
  );

  async function expectEachOnce(
    disturbed: string,
    redis: Readonly<Record<string, string>>,
    disturbBroker: () => Promise<void>,
    mostTwice: number,
  ): Promise<void> {
    const run = randomUUID();
    const redisEnv = ['CARILLON_BUS_DRIVERS_REDIS', 'CARILLON_DELIVERY_FANOUT'].flatMap((prefix) =>
      Object.entries({ ...redis, KEY_PREFIX: run }).map(([name, value]) => [`${prefix}_${name}`, value]),
    );
    const env = {
      KAFKA_BROKER: kafka.url,
      KAFKA_TOPIC: `instant-${run}`,
      PULSAR_SERVICE_URL: pulsar.webUrl,
      PULSAR_TOPIC: `delayed-${run}`,
      REDIS_URL: redis['URL'] ?? '',
      ...(Object.fromEntries(redisEnv) as Record<string, string>),
      CARILLON_TRIGGER_RATE_LIMIT_PER_SECOND: '100000',
      CARILLON_TRIGGER_RATE_LIMIT_BURST: '100000',
    };
    await using first = await Server.start({ env });
    await using second = await Server.start({ env });
    await using doomed = await Server.start({ env });
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, (_, i) => (i % 2 ? first : second).connect(`${run}-${i}`)),
    );

    const entries: Entry[] = [];
    let killed = false;
    const disturb = async (): Promise<void> => {
      await delay(4_000);
      killed = true;
      await doomed.kill();
      await delay(2_000);
      await disturbBroker();
    };
    const send = async (i: number): Promise<void> => {
      const index = i % CLIENTS;
      const userAgent = `${run}-${index}`;
      const instant = i % 5 === 0;
      const delayMs = instant ? 0 : Math.floor(Math.random() * LONGEST_DELAY_MS);
      const body = `{"n":${i},"run":"${run}"}`;
      const dueAt = Date.now() + delayMs;
      const entry: Entry = { body, client: clients[index] as RawClient, dueAt, accepted: false };
      entries.push(entry);
      const query = instant ? 'lanes=instant' : `lanes=delayed&deliverAt=${new Date(dueAt).toISOString()}`;
      const servers = killed ? [first, second] : [first, second, doomed];
      // As documented, a caller that gets a 503 or no response retries with the same key.
      for (let attempt = i; !entry.accepted; attempt++) {
        const response = await servers[attempt % servers.length]
          ?.trigger(body, { userAgent, query, headers: { 'idempotency-key': `${run}-${i}` } })
          .catch(() => undefined);
        const code = response && !response.ok ? await response.text() : '';
        // It became due while the broker was down: the refusal is final, and nothing has to arrive.
        if (code.includes('deliver_at_in_past')) return;
        if (response?.status === 202) entry.accepted = true;
        else await delay(250);
      }
    };

    const disturbing = disturb();
    let next = 0;
    const sender = async (): Promise<void> => {
      while (next < MESSAGES) await send(next++);
    };
    await Promise.all(Array.from({ length: 40 }, sender));
    await disturbing;

    const accepted = entries.filter((entry) => entry.accepted);
    expect(accepted.length).toBeGreaterThan(MESSAGES * 0.9);
    const missing = (): Entry[] => {
      const seen = new Map(
        clients.map((client) => [client, new Set(client.received.map(({ text }) => text))]),
      );
      return accepted.filter(({ client, body }) => !seen.get(client)?.has(body));
    };
    const deadline = Date.now() + LONGEST_DELAY_MS + WAIT_MS;
    while (missing().length > 0 && Date.now() < deadline) await delay(500);
    expect({ missing: missing().length, among: accepted.length }).toEqual({
      missing: 0,
      among: accepted.length,
    });

    const dueAt = new Map(entries.map((entry) => [entry.body, entry.dueAt]));
    const receipts = clients.flatMap(({ received }) => received);
    const twice = receipts.length - new Set(receipts.map(({ text }) => text)).size;
    expect(twice).toBeLessThanOrEqual(mostTwice);
    expect(receipts.filter(({ text, at }) => at < (dueAt.get(text) ?? Infinity))).toEqual([]);

    const lateness = receipts.map(({ text, at }) => at - (dueAt.get(text) ?? at)).toSorted((a, b) => a - b);
    const percentile = (p: number): number => lateness[Math.floor((lateness.length - 1) * p)] ?? 0;
    process.stdout.write(
      `lateness over ${receipts.length} receipts with ${disturbed} disturbed, ${twice} twice, ms: ` +
        `p50 ${percentile(0.5)}, p95 ${percentile(0.95)}, p99 ${percentile(0.99)}, max ${percentile(1)}\n`,
    );
  }
});
