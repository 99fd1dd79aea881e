import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  describeWithOwn,
  type RunningBroker,
  startKafka,
  startPulsar,
  startRedis,
} from '../../support/brokers.js';
import { Server } from '../../support/server.js';

interface Answer {
  readonly status: number;
  readonly replayed: boolean;
  readonly copies: readonly { readonly id: string; readonly lane: string; readonly dueAt: string }[];
}

const DELAY_MS = 2_000;

interface Case {
  readonly title: string;
  readonly kinds: readonly ('redis' | 'kafka' | 'pulsar')[];
  /** Starts the broker beside Redis. */
  readonly open?: () => Promise<RunningBroker>;
  readonly env?: (broker: RunningBroker) => Record<string, string>;
}

const cases: readonly Case[] = [
  { title: 'Redis', kinds: ['redis'] },
  {
    title: 'Redis and Kafka',
    kinds: ['redis', 'kafka'],
    open: startKafka,
    env: ({ url }) => ({ KAFKA_BROKER: url }),
  },
  {
    title: 'Redis and Pulsar',
    kinds: ['redis', 'pulsar'],
    open: startPulsar,
    env: ({ webUrl = '' }) => ({ PULSAR_SERVICE_URL: webUrl }),
  },
];

for (const { title, kinds, open, env } of cases)
  describeWithOwn(kinds, `after a stall of ${title}`, () => {
    const brokers: RunningBroker[] = [];
    let server: Server;
    beforeAll(async () => {
      const redis = await startRedis();
      brokers.push(redis);
      const other = await open?.();
      if (other !== undefined) brokers.push(other);
      const more = other === undefined ? {} : env?.(other);
      server = await Server.start({ env: { REDIS_URL: redis.url, ...more } });
      await ready();
    });
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
      await Promise.all(brokers.splice(0).map((broker) => broker.dispose()));
    });

    const ready = async (status = 200) => {
      while ((await fetch(`${server.url}/health/ready`)).status !== status) await delay(50);
    };
    const freeze = () => brokers.forEach((broker) => broker.freeze());
    const thaw = () => brokers.forEach((broker) => broker.thaw());
    const post = async (userAgent: string, delayMs: number, key?: string): Promise<Answer> => {
      const headers = key === undefined ? {} : { 'idempotency-key': key };
      const response = await server.trigger('{"id":"Hello"}', {
        query: `delay=${delayMs}`,
        userAgent,
        headers,
      });
      const { messages = [] } = (await response.json()) as { messages?: Answer['copies'] };
      const replayed = response.headers.has('idempotency-replayed');
      return { status: response.status, replayed, copies: messages };
    };
    const schedules = async (userAgent: string): Promise<unknown> => {
      const response = await fetch(`${server.url}/schedules`, { headers: { 'user-agent': userAgent } });
      return response.status === 200
        ? ((await response.json()) as { schedules: unknown[] }).schedules
        : [null];
    };

    it('a request is refused, and the delay of its retry counts from the retry', async () => {
      const client = await server.connect('retrying');
      freeze();
      const firstAt = Date.now();
      expect((await post('retrying', DELAY_MS, 'stall')).status).toBe(503);
      // Until the delayed copy of the first request would have been due.
      while (Date.now() <= firstAt + DELAY_MS) await delay(50);
      thaw();

      let retriedAt = 0;
      let answer: Answer;
      do {
        retriedAt = Date.now();
        answer = await post('retrying', DELAY_MS, 'stall');
      } while (answer.status === 503);
      expect(answer).toMatchObject({ status: 202, replayed: false });
      const [instant, delayed] = answer.copies.map(({ dueAt }) => Date.parse(dueAt));
      expect(instant).toBeGreaterThanOrEqual(retriedAt);
      expect(delayed).toBe(instant! + DELAY_MS);
      expect(await post('retrying', DELAY_MS, 'stall')).toEqual({ ...answer, replayed: true });

      const [, second] = await client.receives(2);
      expect(second?.at).toBeGreaterThanOrEqual(delayed!);
      expect(client.received).toHaveLength(2);
      client.socket.terminate();
    });

    it('a request without a key is refused, and its delayed copy is withdrawn', async () => {
      await ready();
      freeze();
      expect((await post('once', 60_000)).status).toBe(503);
      // The process has given up the connections on which it sent the request.
      await ready(503);
      thaw();
      await ready();
      while (JSON.stringify(await schedules('once')) !== '[]') await delay(50);
      expect((await post('once', 60_000)).status).toBe(202);
      expect(await schedules('once')).toHaveLength(1);
    });
  });
