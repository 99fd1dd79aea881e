import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  describeWithOwn,
  startKafka,
  startPulsar,
  startRedis,
  type RunningBroker,
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

/**
 * Sends random messages over three processes while one process is killed and a broker is restarted. Every accepted message has to
 * arrive, none twice and none early.
 */
describeWithOwn(['kafka', 'pulsar', 'redis'], 'a killed process and a restarted broker', () => {
  const brokers: Record<'kafka' | 'pulsar' | 'redis', RunningBroker | undefined> = {
    kafka: undefined,
    pulsar: undefined,
    redis: undefined,
  };

  beforeAll(async () => {
    const [kafka, pulsar, redis] = await Promise.all([
      startKafka(),
      startPulsar(),
      startRedis({ appendOnly: true }),
    ]);
    Object.assign(brokers, { kafka, pulsar, redis });
  });

  afterAll(async () => {
    for (const broker of Object.values(brokers)) await broker?.dispose();
  });

  describe.each(['kafka', 'pulsar', 'redis'] as const)('when the broker is %s', (restarted) => {
    it(`delivers each of ${MESSAGES} messages once, and not early`, async () => {
      const run = randomUUID();
      const env = {
        KAFKA_BROKER: brokers.kafka?.url ?? '',
        KAFKA_TOPIC: `instant-${run}`,
        PULSAR_SERVICE_URL: brokers.pulsar?.webUrl ?? '',
        PULSAR_TOPIC: `delayed-${run}`,
        REDIS_URL: brokers.redis?.url ?? '',
        CARILLON_BUS_DRIVERS_REDIS_KEY_PREFIX: run,
        CARILLON_DELIVERY_FANOUT_KEY_PREFIX: run,
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
        await brokers[restarted]?.stop();
        await delay(1_000);
        await brokers[restarted]?.restart();
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
      expect(receipts.length).toBe(new Set(receipts.map(({ text }) => text)).size);
      expect(receipts.filter(({ text, at }) => at < (dueAt.get(text) ?? Infinity))).toEqual([]);

      const lateness = receipts.map(({ text, at }) => at - (dueAt.get(text) ?? at)).toSorted((a, b) => a - b);
      const percentile = (p: number): number => lateness[Math.floor((lateness.length - 1) * p)] ?? 0;
      process.stdout.write(
        `lateness over ${receipts.length} receipts with ${restarted} restarted, ms: ` +
          `p50 ${percentile(0.5)}, p95 ${percentile(0.95)}, p99 ${percentile(0.99)}, max ${percentile(1)}\n`,
      );
    });
  });
});
