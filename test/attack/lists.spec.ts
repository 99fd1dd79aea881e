import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { Server } from '../support/server.ts';
import { MAX_DESCRIPTORS, MAX_STALL_MS, ProcessMeter } from './process-meter.ts';

const KEY = 'a-long-enough-api-key';
const keyed = { 'x-api-key': KEY };
/** With workers there are three processes. Stated in docs/operations.md. */
const maxGrowthMb = (workers: number): number => (workers === 1 ? 400 : 700);
const LARGE = JSON.stringify('x'.repeat(60_000));

function start(workers: number, env: Readonly<Record<string, string>> = {}): Promise<Server> {
  return Server.start({
    env: {
      WORKERS: String(workers),
      CARILLON_API_KEY: KEY,
      CARILLON_TRIGGER_RATE_LIMIT_PER_SECOND: '0',
      ...env,
    },
  });
}

async function api(server: Server, method: string, body: object): Promise<string> {
  const request = { method: 'POST', headers: keyed, body: JSON.stringify(body) };
  return (await fetch(`${server.url}/api/${method}`, request)).text();
}

/** Opens a connection that sends bytes and reads nothing. */
async function deaf(server: Server, bytes: string): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause().write(bytes);
  return socket;
}

/** A client that sends commands and reads none of the replies, after its first one. */
async function deafClient(server: Server, commands: readonly object[]): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/connection/websocket`);
  client.on('error', () => {});
  await once(client, 'open');
  client.send(JSON.stringify({ id: 1, connect: {} }));
  await once(client, 'message');
  client.pause();
  for (const command of commands) client.send(JSON.stringify(command));
  return client;
}

/** Fails if the server does not serve others. */
async function servesOthers(server: Server): Promise<void> {
  const bystander = await server.connect('bystander');
  await server.trigger('"still here"', { userAgent: 'bystander' });
  await bystander.until(() => bystander.received.some(({ text }) => text === '"still here"'));
  await bystander.close();
}

describe.each([1, 2])('a server with %d worker(s)', (workers) => {
  it('reads no payloads for lists of scheduled messages', async () => {
    await using server = await start(workers);
    for (let at = 0; at < 400; at += 20)
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const response = await server.trigger(LARGE, { query: 'lanes=delayed&delay=PT1H', headers: keyed });
          expect(response.status).toBe(202);
        }),
      );
    using meter = new ProcessMeter(server);
    const list = `GET /schedules?limit=1000 HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${KEY}\r\n\r\n`;
    const sockets = await Promise.all([deaf(server, list.repeat(80)), deaf(server, list.repeat(80))]);
    await servesOthers(server);
    const page = await fetch(`${server.url}/schedules?limit=1000`, { headers: keyed });
    // Lists of the same caller wait for one another for a while, and are refused then.
    expect([200, 429]).toContain(page.status);
    expect(meter.growthMb).toBeLessThan(maxGrowthMb(workers));
    expect(meter.longestStallMs).toBeLessThan(MAX_STALL_MS);
    expect(meter.maxDescriptors).toBeLessThan(MAX_DESCRIPTORS);
    for (const socket of sockets) socket.destroy();
  });

  it('limits what clients that do not read can make it read of a history', async () => {
    await using server = await start(workers, {
      CARILLON_GATEWAY_CLIENT_INSECURE: 'true',
      CARILLON_DELIVERY_CHANNELS_WITHOUT_NAMESPACE_HISTORY_SIZE: '300',
      CARILLON_DELIVERY_CHANNELS_WITHOUT_NAMESPACE_HISTORY_TTL_MS: '600000',
    });
    for (let count = 0; count < 300; count++)
      await api(server, 'publish', { channel: 'large', data: 'x'.repeat(60_000) });
    using meter = new ProcessMeter(server);
    const commands = Array.from({ length: 5 }, (_, id) => ({
      id: id + 2,
      history: { channel: 'large', limit: 300 },
    }));
    const clients = await Promise.all(Array.from({ length: 60 }, () => deafClient(server, commands)));
    await servesOthers(server);
    const { result } = JSON.parse(await api(server, 'history', { channel: 'large', limit: -1 })) as {
      result: { offset: number; publications: unknown[] };
    };
    expect(result.offset).toBe(300);
    expect(result.publications.length).toBeLessThan(300);
    expect(meter.growthMb).toBeLessThan(maxGrowthMb(workers));
    expect(meter.longestStallMs).toBeLessThan(MAX_STALL_MS);
    expect(meter.maxDescriptors).toBeLessThan(MAX_DESCRIPTORS);
    for (const client of clients) client.terminate();
  });

  it('keeps the delayed lane open for callers with a key when others fill their part', async () => {
    await using server = await start(workers, {
      CARILLON_BUS_DELAYED_MAX_PENDING_MESSAGES: '200',
      CARILLON_BUS_DELAYED_ANONYMOUS_MAX_MESSAGES_PER_ADDRESS: '60',
    });
    const push = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await server.trigger('1', { query: 'lanes=delayed&delay=PT1H', headers })).status;
    // A User-Agent is cheap to change: it gives no further quota.
    const strangers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => push({ 'user-agent': `stranger ${index % 7}` })),
    );
    expect(strangers.filter((status) => status === 202)).toHaveLength(60);
    expect(new Set(strangers)).toEqual(new Set([202, 429]));
    const holders = await Promise.all(Array.from({ length: 150 }, () => push(keyed)));
    expect(holders.filter((status) => status === 202)).toHaveLength(140);
    expect(new Set(holders)).toEqual(new Set([202, 503]));
  });

  it('refuses large patterns, broadcasts, batches, tags and keys with a reason', async () => {
    await using server = await start(workers);
    using meter = new ProcessMeter(server);
    const attacks: [method: string, body: object, refusal: RegExp][] = [
      ['channels', { pattern: '{a,b}'.repeat(180_000) }, /"code":106,.*512/],
      ['broadcast', { channels: Array(250_000).fill('c'), data: 1 }, /"code":106,.*50000/],
      ['batch', { commands: Array.from({ length: 80_000 }, () => ({})) }, /"code":106,.*10000/],
      ['publish', { channel: 'c', data: 1, tags: { t: 'x'.repeat(900_000) } }, /"code":107,.*16384/],
      ['publish', { channel: 'c', data: 1, idempotency_key: 'k'.repeat(900_000) }, /"code":107,.*255/],
    ];
    for (const [method, body, refusal] of attacks) {
      const replies = await Promise.all(Array.from({ length: 4 }, () => api(server, method, body)));
      for (const reply of replies) expect(reply).toMatch(refusal);
    }
    await servesOthers(server);
    expect(meter.growthMb).toBeLessThan(maxGrowthMb(workers));
    expect(meter.longestStallMs).toBeLessThan(MAX_STALL_MS);
    expect(meter.maxDescriptors).toBeLessThan(MAX_DESCRIPTORS);
  });

  it('serves others while the largest broadcast and batch run', async () => {
    await using server = await start(workers);
    using meter = new ProcessMeter(server);
    const channels = Array.from({ length: 50_000 }, (_, index) => `c${index}`);
    const commands = Array.from({ length: 10_000 }, () => ({ publish: { channel: 'c', data: 1 } }));
    const running = Promise.all([
      api(server, 'broadcast', { channels, data: 1 }),
      api(server, 'batch', { commands }),
    ]);
    await servesOthers(server);
    const [broadcast, batch] = await running;
    expect((JSON.parse(broadcast) as { result: { responses: unknown[] } }).result.responses).toHaveLength(
      50_000,
    );
    expect((JSON.parse(batch) as { replies: unknown[] }).replies).toHaveLength(10_000);
    expect(meter.growthMb).toBeLessThan(maxGrowthMb(workers));
    expect(meter.longestStallMs).toBeLessThan(MAX_STALL_MS);
    expect(meter.maxDescriptors).toBeLessThan(MAX_DESCRIPTORS);
  });
});
