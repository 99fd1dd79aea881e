import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type RunningBroker, startKafka, startPulsar, startRedis } from '../../support/brokers.js';
import { describeOverEachTransport } from '../../contract/bus/pulsar-transports.js';
import { Server } from '../../support/server.js';

const HELLO = '{"id":"Hello"}';

/** Three processes over real Kafka, Pulsar and Redis. The client is connected to the first one; requests go to the second one. */
describeOverEachTransport(['kafka', 'pulsar', 'redis'], 'three replicas', (urlOf) => {
  let brokers: RunningBroker[] = [];
  let servers: Server[] = [];
  let cwd: string;

  beforeAll(async () => {
    const [kafka, pulsar, redis] = await Promise.all([startKafka(), startPulsar(), startRedis()]);
    brokers = [kafka, pulsar, redis];
    const env = { KAFKA_BROKER: kafka.url, PULSAR_SERVICE_URL: urlOf(pulsar), REDIS_URL: redis.url };
    // In one directory, as if started by hand or by pm2: the files that they write there must not conflict.
    cwd = mkdtempSync(join(tmpdir(), 'carillon-replicas-'));
    servers = await Promise.all([1, 2, 3].map(() => Server.start({ env, cwd })));
  });

  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    for (const broker of brokers) await broker.dispose();
    rmSync(cwd, { recursive: true, force: true });
  });

  it('push to a client of another process', async () => {
    const [first, second] = servers as [Server, Server, Server];
    const client = await first.connect('replicated');
    const sentAt = Date.now();
    expect((await second.trigger(HELLO, { userAgent: 'replicated' })).status).toBe(202);
    const [instant, delayed] = await client.receives(2);
    expect([instant?.text, delayed?.text]).toEqual([HELLO, HELLO]);
    expect((delayed?.at ?? 0) - sentAt).toBeGreaterThanOrEqual(3_000);
    await client.close();
  });

  it('cancel in one process what another one scheduled', async () => {
    const [first, second, third] = servers as [Server, Server, Server];
    const client = await first.connect('canceller');
    const response = await second.trigger('"never"', {
      userAgent: 'canceller',
      query: 'lanes=delayed&delay=6000',
    });
    const { messages } = (await response.json()) as { messages: { id: string }[] };
    await second.trigger('"later"', { userAgent: 'canceller', query: 'lanes=delayed&delay=7000' });
    const cancelled = await fetch(`${third.url}/schedules/${messages[0]?.id}`, {
      method: 'DELETE',
      headers: { 'user-agent': 'canceller' },
    });
    expect(cancelled.ok).toBe(true);
    expect((await client.receives(1)).map(({ text }) => text)).toEqual(['"later"']);
    await client.close();
  });

  it('deliver once the messages that a killed process was delivering', async () => {
    const [first, second, third] = servers as [Server, Server, Server];
    const client = await first.connect('survivor');
    const dueFrom = Date.now() + 6_000;
    const due = new Map<string, number>();
    await Promise.all(
      Array.from({ length: 90 }, async (_, i) => {
        const deliverAt = dueFrom + i * 10;
        due.set(`{"n":${i}}`, deliverAt);
        const response = await second.trigger(`{"n":${i}}`, {
          userAgent: 'survivor',
          query: `lanes=delayed&deliverAt=${new Date(deliverAt).toISOString()}`,
        });
        expect(response.status).toBe(202);
      }),
    );
    // While messages become due, so that the third process is delivering some of them.
    await client.receives(30);
    await third.kill();
    const received = await client.receives(90);
    expect(new Set(received.map(({ text }) => text)).size).toBe(90);
    expect(received.filter(({ text, at }) => at < (due.get(text) ?? Infinity))).toEqual([]);

    await second.trigger('"last"', { userAgent: 'survivor', query: 'lanes=instant' });
    await client.until(() => client.received.some(({ text }) => text === '"last"'));
    expect(client.received).toHaveLength(91);
    await client.close();
  });
});
