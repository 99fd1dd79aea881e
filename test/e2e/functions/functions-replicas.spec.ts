/** Function routes on three replicas over Redis: pushes from any of them, and the cleanups of one that is killed. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';
import { FunctionBackend } from '../../support/function-backend.js';
import { Server } from '../../support/server.js';

const API_KEY = 'a-key-for-the-tests-0123';
const VICTIMS = 200;

describeWithOwn('redis', 'Function routes on three replicas', () => {
  let redis: RunningBroker;
  let backend: FunctionBackend;
  let directory: string;
  const servers: Server[] = [];
  const sockets: WebSocket[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    backend = await FunctionBackend.start();
    directory = mkdtempSync(join(tmpdir(), 'carillon-replicas-'));
    const config = {
      bus: { instant: { driver: 'redis' } },
      delivery: { registry: { leaseMs: 2_000 } },
      gateway: { functions: { routes: { chat: backend.route('/chat') } } },
    };
    const file = join(directory, 'carillon.json');
    writeFileSync(file, JSON.stringify(config));
    const env = { REDIS_URL: redis.url, CARILLON_API_KEY: API_KEY };
    servers.push(
      ...(await Promise.all([0, 1, 2].map(() => Server.start({ args: ['--config', file], env })))),
    );
  });

  afterAll(async () => {
    for (const socket of sockets) socket.terminate();
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    await backend?.[Symbol.asyncDispose]();
    await redis?.dispose();
    rmSync(directory, { recursive: true, force: true });
  });

  async function connect(server: Server): Promise<{ socket: WebSocket; id: string; received: string[] }> {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/chat`);
    sockets.push(socket);
    const received: string[] = [];
    socket.on('error', () => {});
    socket.on('message', (data) => received.push((data as Buffer).toString()));
    const [response] = (await once(socket, 'upgrade')) as [IncomingMessage];
    if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
    return { socket, id: String(response.headers['carillon-connection-id']), received };
  }

  async function push(server: Server, websocket: object): Promise<number> {
    const response = await fetch(`${server.url}/push`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': API_KEY },
      body: JSON.stringify({ websocket }),
    });
    return response.status;
  }

  async function online(server: Server): Promise<number> {
    const response = await fetch(`${server.url}/connections?route=chat`, {
      headers: { 'x-api-key': API_KEY },
    });
    return ((await response.json()) as { total: number }).total;
  }

  it('push to a connection on any of them, and close it from any of them', async () => {
    const [first, second, third] = servers as [Server, Server, Server];
    const client = await connect(first);
    for (const [number, server] of servers.entries())
      expect(await push(server, { action: 'data send', secConnectionID: client.id, data: `${number}` })).toBe(
        200,
      );
    while (client.received.length < 3) await once(client.socket, 'message');
    expect(client.received).toEqual(['0', '1', '2']);
    expect(await online(third)).toBe(1);
    const closed = once(client.socket, 'close');
    expect(await push(second, { action: 'closing', secConnectionID: client.id })).toBe(200);
    expect((await closed)[0]).toBe(1000);
    await backend.called('cleanup', 1, client.id);
    expect(await push(third, { action: 'closing', secConnectionID: client.id })).toBe(410);
  });

  it('clean up once for each connection of one that is killed', async () => {
    const [victim, survivor, other] = servers as [Server, Server, Server];
    const victims = await Promise.all(Array.from({ length: VICTIMS }, () => connect(victim)));
    const stayer = await connect(other);
    expect(await online(survivor)).toBe(VICTIMS + 1);
    await victim.kill();
    await Promise.all(victims.map(({ id }) => backend.called('cleanup', 1, id)));
    // A cleanup that were done twice would be done by the other survivor in the same second.
    await backend.calls.until(() => victims.every(({ id }) => backend.of('cleanup', id).length > 0));
    stayer.socket.close();
    await backend.called('cleanup', 1, stayer.id);
    expect(victims.map(({ id }) => backend.of('cleanup', id).length)).toEqual(victims.map(() => 1));
    expect(await online(survivor)).toBe(0);
    expect(await push(survivor, { action: 'data send', secConnectionID: victims[0]!.id, data: 'x' })).toBe(
      410,
    );
  });
});
