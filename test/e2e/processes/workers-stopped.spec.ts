/** A process that is stopped keeps its connections open: only missing replies show it. */
import { Agent, get, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Server, type RawClient } from '../../support/server.js';

const start = () => Server.start({ env: { WORKERS: '2' } });

/** Uses a connection that is already open: while the primary is stopped, nobody accepts new ones. */
async function readiness(server: Server, agent: Agent): Promise<{ status: number; brokers: object }> {
  const [response] = (await once(get(`${server.url}/health/ready`, { agent }), 'response')) as [
    IncomingMessage,
  ];
  const { brokers } = (await json(response)) as { brokers: object };
  return { status: response.statusCode ?? 0, brokers };
}

async function crowd(server: Server): Promise<readonly RawClient[]> {
  return Promise.all(Array.from({ length: 12 }, () => server.connect('crowd')));
}

const processesOf = ({ output }: Server): number[] =>
  [...output.matchAll(/"pid":(\d+),"context":"Brokers","msg":"lane consumers is up"/g)].map(([, pid]) =>
    Number(pid),
  );

/** Waits until the port is served again: it was closed with the last worker. */
async function served({ url }: Server): Promise<void> {
  while (!(await fetch(`${url}/health/ready`).catch(() => undefined))?.ok) await delay(50);
}

describe('two workers', () => {
  it('turn red while their primary is stopped, and recover with it', async () => {
    await using server = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const clients = await crowd(server);
    expect((await readiness(server, agent)).status).toBe(200);
    process.kill(server.pid, 'SIGSTOP');
    await server.says(/primary process is down/, 2);
    expect(await readiness(server, agent)).toMatchObject({
      status: 503,
      brokers: { 'primary process': { state: 'down', reason: 'it has not responded for 3 s' } },
    });
    process.kill(server.pid, 'SIGCONT');
    await server.says(/primary process is up/, 4);
    expect((await readiness(server, agent)).status).toBe(200);
    agent.destroy();
    expect((await server.trigger('"on"', { userAgent: 'crowd', query: 'lanes=instant' })).status).toBe(202);
    await Promise.all(clients.map((client) => client.receives(1)));
  });

  it('close their clients if it is stopped for long, and are replaced when it continues', async () => {
    await using server = await start();
    const clients = await crowd(server);
    const closes = clients.map((client) => client.closed());
    process.kill(server.pid, 'SIGSTOP');
    expect((await Promise.all(closes)).map(({ code }) => code)).toEqual(clients.map(() => 3001));
    process.kill(server.pid, 'SIGCONT');
    await server.says(/is replaced/, 2);
    await served(server);
    const returned = await crowd(server);
    expect((await server.trigger('"again"', { userAgent: 'crowd', query: 'lanes=instant' })).status).toBe(
      202,
    );
    await Promise.all(returned.map((client) => client.receives(1)));
  });

  it('lose a worker that is stopped for long', async () => {
    await using server = await start();
    const [frozen = 0] = processesOf(server);
    process.kill(frozen, 'SIGSTOP');
    await server.says(new RegExp(`worker ${frozen} has not responded for 10 s and is killed`));
    await server.says(new RegExp(`worker ${frozen} ended \\(SIGKILL\\) and is replaced`));
    await server.says(/lane consumers is up/, 3);
    const clients = await crowd(server);
    expect((await server.trigger('"all"', { userAgent: 'crowd', query: 'lanes=instant' })).status).toBe(202);
    await Promise.all(clients.map((client) => client.receives(1)));
  });
});
