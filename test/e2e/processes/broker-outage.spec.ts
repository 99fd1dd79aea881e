import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  describeWithOwn,
  startKafka,
  startPulsar,
  startRedis,
  type RunningBroker,
} from '../../support/brokers.js';
import { Server } from '../../support/server.js';

interface Case {
  readonly kind: 'kafka' | 'pulsar' | 'redis';
  readonly start: () => Promise<RunningBroker>;
  readonly env: (broker: RunningBroker) => Record<string, string>;
  /** Selects the lane that needs this broker. */
  readonly query: string;
}

const cases: readonly Case[] = [
  { kind: 'kafka', start: startKafka, env: ({ url }) => ({ KAFKA_BROKER: url }), query: 'lanes=instant' },
  {
    kind: 'pulsar',
    start: startPulsar,
    env: ({ webUrl = '' }) => ({ PULSAR_SERVICE_URL: webUrl }),
    query: 'lanes=delayed&delay=100',
  },
  {
    kind: 'redis',
    start: () => startRedis({ appendOnly: true }),
    env: ({ url }) => ({ REDIS_URL: url }),
    query: 'lanes=delayed&delay=100',
  },
];

for (const { kind, start, env, query } of cases)
  describeWithOwn(kind, `while ${kind} is down`, () => {
    let broker: RunningBroker;
    let server: Server;

    beforeAll(async () => {
      broker = await start();
      server = await Server.start({ env: env(broker) });
    });

    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
      await broker?.dispose();
    });

    const status = async (path: string): Promise<number> => (await fetch(server.url + path)).status;
    const becomes = async (path: string, wanted: number): Promise<void> => {
      while ((await status(path)) !== wanted) await delay(100);
    };

    it('responds with 503 in time, stays alive, is not ready, and recovers by itself', async () => {
      await becomes('/health/ready', 200);
      const client = await server.connect('waiting');
      await broker.stop();

      const responses = [];
      for (let attempt = 0; attempt < 3; attempt++) {
        const sentAt = performance.now();
        const response = await server.trigger('"too early"', { userAgent: 'waiting', query });
        responses.push({ response, tookMs: performance.now() - sentAt });
      }
      expect(responses.map(({ response }) => response.status)).toEqual([503, 503, 503]);
      expect(Math.min(...responses.map(({ tookMs }) => tookMs))).toBeLessThan(5_000);
      expect(responses[0]?.response.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(await responses[0]?.response.json()).toMatchObject({ error: { code: 'broker_unavailable' } });
      await becomes('/health/ready', 503);
      expect(await status('/health/live')).toBe(200);

      await broker.restart();
      await becomes('/health/ready', 200);
      const key = randomUUID();
      for (;;) {
        const headers = { 'idempotency-key': key };
        const response = await server.trigger('"back"', { userAgent: 'waiting', query, headers });
        if (response.status === 202) break;
        await delay(250);
      }
      await client.until(() => client.received.some(({ text }) => text === '"back"'));
      expect(client.received.filter(({ text }) => text === '"back"')).toHaveLength(1);
      await client.close();
    });

    it('starts without it, and connects when it is up', async () => {
      await broker.stop();
      await using late = await Server.start({ env: env(broker) });
      expect((await fetch(`${late.url}/health/ready`)).status).toBe(503);
      await broker.restart();
      while ((await fetch(`${late.url}/health/ready`)).status !== 200) await delay(100);
    });
  });
