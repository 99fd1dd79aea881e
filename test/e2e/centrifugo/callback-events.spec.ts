/** A Centrifugo's callbacks become entries of partitioned Redis Streams, which three copies of `examples/worker.ts` share. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { crc32 } from 'node:zlib';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';
import { ExampleWorker } from '../../support/example-worker.js';
import { Server } from '../../support/server.js';

const API_KEY = 'a-key-for-the-tests-0123';
const CHANNELS = 16;
const EVENTS = 20;

describeWithOwn('redis', 'The events of callbacks', () => {
  let redis: RunningBroker;
  let server: Server;
  let workers: readonly ExampleWorker[];

  beforeAll(async () => {
    redis = await startRedis();
    const env = { REDIS_URL: redis.url, GROUP: 'callbacks' };
    workers = await Promise.all([1, 2, 3].map(() => ExampleWorker.start(env)));
    server = await Server.start({
      env: { REDIS_URL: redis.url, CARILLON_API_KEY: API_KEY },
      args: [
        '--callbacks.enabled=true',
        '--callbacks.driver=redis',
        '--bus.drivers.redis.streams.streamName=<topic>:<partition>',
        '--delivery.channels.withoutNamespace.allowPublishForClient=true',
      ],
    });
  });

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await Promise.all((workers ?? []).map((worker) => worker.end('SIGKILL')));
    await redis?.dispose();
  });

  async function publish(channel: string, data: number): Promise<void> {
    const request = { client: 'c', user: 'u', transport: 'websocket', protocol: 'json', channel, data };
    const response = await fetch(`${server.url}/centrifugo/publish`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': API_KEY },
      body: JSON.stringify(request),
    });
    expect([response.status, await response.json()]).toEqual([200, { result: {} }]);
  }

  /** The events that a worker has handled: channel, number and partition. */
  const handledBy = (worker: ExampleWorker) =>
    worker.handled.map((line) => {
      const [, partition, key, body = ''] = /^(\d+) (\S+) (.*)$/.exec(line) ?? [];
      return { partition: Number(partition), key, data: (JSON.parse(body) as { data: number }).data };
    });

  it('are handled by exactly one of three workers, in the order of their channel', async () => {
    const channels = Array.from({ length: CHANNELS }, (_, number) => `channel-${number}`);
    await Promise.all(
      channels.map(async (channel) => {
        for (let number = 0; number < EVENTS; number++) await publish(channel, number);
      }),
    );
    const count = () => workers.reduce((sum, worker) => sum + worker.handled.length, 0);
    await Promise.race(workers.map((worker) => worker.until(() => count() >= CHANNELS * EVENTS)));
    const handled = workers.flatMap(handledBy);
    for (const channel of channels) {
      const own = handled.filter(({ key }) => key === channel);
      expect(own.map(({ data }) => data)).toEqual(Array.from({ length: EVENTS }, (_, number) => number));
      expect(new Set(own.map(({ partition }) => partition))).toEqual(new Set([crc32(channel) % 8]));
    }
    expect(workers.filter((worker) => worker.handled.length > 0).length).toBeGreaterThan(1);
  });
});
