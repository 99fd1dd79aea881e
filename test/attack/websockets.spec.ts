import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { ProtocolClient } from '../support/protocol-client.ts';
import { Server } from '../support/server.ts';
import { MAX_DESCRIPTORS, MAX_STALL_MS, ProcessMeter } from './process-meter.ts';

const MAX_GROWTH_MB = 150;

/** The frame of a client: masked with zeros, so that the payload is as it is. */
function fragment(isFirst: boolean, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(isFirst ? 0x02 : 0x00, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}

async function metric(server: Server, pattern: RegExp): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(pattern.exec(text)?.[1] ?? 0);
}

describe.each([1, 2])('a server with %d worker(s)', (workers) => {
  const start = (env: Readonly<Record<string, string>> = {}): Promise<Server> =>
    Server.start({ env: { WORKERS: String(workers), ...env } });

  it('joins messages that come in many fragments', async () => {
    await using server = await start();
    const clients = await Promise.all(
      Array.from({ length: 500 }, (_, i) => server.connect(`fragments ${i}`)),
    );
    using meter = new ProcessMeter(server);
    const fragments = Array.from({ length: 1_000 }, (_, i) => fragment(i === 0, Buffer.of(1)));
    for (const { socket } of clients) {
      const { _socket: wire } = socket as unknown as { readonly _socket: NodeJS.WritableStream };
      // Each one ends with a ping, which may come between fragments.
      wire.write(Buffer.concat([...fragments, Buffer.of(0x89, 0x80, 0, 0, 0, 0)]));
    }
    await Promise.all(clients.map(({ socket }) => once(socket, 'pong')));
    expect(meter.growthMb).toBeLessThan(MAX_GROWTH_MB);
    expect(meter.longestStallMs).toBeLessThan(MAX_STALL_MS);
    expect(meter.maxDescriptors).toBeLessThan(MAX_DESCRIPTORS);
    for (const { socket } of clients) socket.terminate();
  });

  it('slows down clients whose commands are refused, at the cost of little time of its own', async () => {
    await using server = await start({
      CARILLON_GATEWAY_CLIENT_ALLOW_ANONYMOUS_CONNECT_WITHOUT_TOKEN: 'true',
    });
    const url = `ws://127.0.0.1:${server.port}/connection/websocket`;
    const clients = await Promise.all(Array.from({ length: 10 }, () => ProtocolClient.open(url)));
    for (const client of clients) await client.request({ id: 1, connect: {} });
    const bystander = await server.connect('bystander');
    using meter = new ProcessMeter(server);
    const frame = Array.from({ length: 3_000 }, (_, i) => `{"id":${i + 2},"rpc":{}}`).join('\n');
    for (const client of clients) for (let i = 0; i < 30; i++) client.send(frame);
    // The burst of each client is answered, and then a hundred per second.
    while (clients.some(({ messages }) => messages.length < 600)) await once(clients[0]!.socket, 'change');
    await server.trigger('"still here"', { userAgent: 'bystander' });
    await bystander.until(() => bystander.received.some(({ text }) => text === '"still here"'));
    expect(clients.map(({ messages }) => messages.length).filter((answers) => answers > 10_000)).toEqual([]);
    expect(meter.growthMb).toBeLessThan(MAX_GROWTH_MB);
    expect(meter.longestStallMs).toBeLessThan(MAX_STALL_MS);
    expect(meter.maxDescriptors).toBeLessThan(MAX_DESCRIPTORS);
    for (const { socket } of clients) socket.terminate();
  });

  it('bounds what waits for all clients together', async () => {
    await using server = await start({
      CARILLON_GATEWAY_OUTBOX_MAX_BYTES: String(64 * 2 ** 20),
      CARILLON_GATEWAY_OUTBOX_TOTAL_MAX_BYTES: String(8 * 2 ** 20),
    });
    const bystander = await server.connect('bystander');
    const names = Array.from({ length: 6 }, (_, i) => `reads nothing ${i}`);
    const slow = await Promise.all(names.map((name) => server.connect(name)));
    for (const { socket } of slow) socket.pause();
    using meter = new ProcessMeter(server);
    const body = JSON.stringify('x'.repeat(60_000));
    const closed = () => metric(server, /^carillon_gateway_slow_clients_total\{limit="process"\} (\d+)/m);
    for (let i = 0; (await closed()) === 0 && i < 1_000; i++)
      await Promise.all(names.map((userAgent) => server.trigger(body, { userAgent })));
    expect(await closed()).toBeGreaterThan(0);
    // With two workers there are three processes, through which the messages pass.
    expect(meter.growthMb).toBeLessThan(workers === 1 ? MAX_GROWTH_MB : 3 * MAX_GROWTH_MB);
    expect(meter.longestStallMs).toBeLessThan(MAX_STALL_MS);
    expect(meter.maxDescriptors).toBeLessThan(MAX_DESCRIPTORS);
    await server.trigger('"still here"', { userAgent: 'bystander' });
    await bystander.until(() => bystander.received.some(({ text }) => text === '"still here"'));
    expect(bystander.socket.readyState).toBe(WebSocket.OPEN);
    for (const { socket } of slow) socket.terminate();
  });
});
