/** Registered connections in the embedded file: their cleanups after the process was killed, and after one of its workers was. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { FunctionBackend } from '../../support/function-backend.js';
import { Server } from '../../support/server.js';

const CONNECTIONS = 200;

let backend: FunctionBackend;
let directory: string;
let server: Server | undefined;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  backend = await FunctionBackend.start();
  directory = mkdtempSync(join(tmpdir(), 'carillon-restart-'));
  const routes = { chat: backend.route('/chat') };
  const config = { gateway: { functions: { routes } }, delivery: { registry: { leaseMs: 2_000 } } };
  writeFileSync(join(directory, 'carillon.json'), JSON.stringify(config));
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await server?.[Symbol.asyncDispose]();
  await backend[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

function start(...args: string[]): Promise<Server> {
  return Server.start({ cwd: directory, args: ['--config', 'carillon.json', ...args] });
}

async function connect({ port }: Server): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`);
  sockets.push(socket);
  socket.on('error', () => {});
  const [response] = (await once(socket, 'upgrade')) as [IncomingMessage];
  return String(response.headers['carillon-connection-id']);
}

describe('the cleanups', () => {
  it('of a process that was killed are called once each when it is started again', async () => {
    server = await start();
    const first = server;
    const ids = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(first)));
    await first.kill();
    server = await start();
    await Promise.all(ids.map((id) => backend.called('cleanup', 1, id)));
    const later = await connect(server);
    sockets.at(-1)?.close();
    await backend.called('cleanup', 1, later);
    expect(ids.map((id) => backend.of('cleanup', id).length)).toEqual(ids.map(() => 1));
  });

  it('of a process that stops are called before it exits', async () => {
    server = await start();
    const ids = [await connect(server), await connect(server)];
    expect(await server.stop()).toBe(0);
    expect(ids.map((id) => backend.of('cleanup', id).length)).toEqual([1, 1]);
  });

  it('of a worker that was killed are called by another one', async () => {
    server = await start('--server.workers=2');
    const running = server;
    const ids = await Promise.all(Array.from({ length: 20 }, () => connect(running)));
    const isUp = /"pid":(\d+),"context":"Brokers","msg":"lane consumers is up"/;
    await running.says(isUp, 2);
    const victim = Number(isUp.exec(running.output)?.[1]);
    expect(victim).toBeGreaterThan(1);
    process.kill(victim, 'SIGKILL');
    const nodes = new Set(ids.map((id) => id.slice(0, 8)));
    expect(nodes.size).toBe(2);
    const countOf = (node: string) =>
      ids.filter((id) => id.startsWith(node) && backend.of('cleanup', id).length === 1).length;
    await backend.calls.until(() =>
      [...nodes].some((node) => countOf(node) === ids.filter((id) => id.startsWith(node)).length),
    );
    expect([...nodes].map(countOf)).toContain(0);
  });
});
