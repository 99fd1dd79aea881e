import { describe, expect, it } from '@jest/globals';
import { freePort } from '../../../scripts/brokers/ports.js';
import { type RawClient, Server } from '../../support/server.js';

const start = (env: Readonly<Record<string, string>> = {}, cwd?: string) =>
  Server.start({ env: { WORKERS: '2', ...env }, ...(cwd === undefined ? {} : { cwd }) });

const nodeOf = ({ id }: RawClient) => id.slice(0, 8);

/** Opens clients of one identity, enough that both workers have some. */
async function crowd(server: Server, userAgent = 'crowd', size = 24): Promise<readonly RawClient[]> {
  const clients = await Promise.all(Array.from({ length: size }, () => server.connect(userAgent)));
  expect(new Set(clients.map(nodeOf)).size).toBe(2);
  return clients;
}

async function push(server: Server, body: string, query: string): Promise<void> {
  const response = await server.trigger(body, { userAgent: 'crowd', query });
  expect(response.status).toBe(202);
}

/** Returns the process ids in the order in which the workers became ready. */
function workersOf({ output }: Server): number[] {
  const lines = output.matchAll(/"pid":(\d+),"context":"Brokers","msg":"lane consumers is up"/g);
  return [...lines].map(([, pid]) => Number(pid));
}

const textsOf = (client: RawClient) => client.received.map(({ text }) => text);

describe('two workers behind one port', () => {
  it('push each message once to the clients of both, immediately and later', async () => {
    await using server = await start();
    const clients = await crowd(server);
    const texts = Array.from({ length: 20 }, (_, index) => `{"now":${index}}`);
    for (const text of texts) await push(server, text, 'lanes=instant');
    await Promise.all(clients.map((client) => client.receives(texts.length)));
    const dueAt = Date.now() + 3_000;
    await push(server, '"later"', `lanes=delayed&deliverAt=${new Date(dueAt).toISOString()}`);
    await Promise.all(clients.map((client) => client.receives(texts.length + 1)));
    for (const client of clients) {
      expect(textsOf(client)).toEqual([...texts, '"later"']);
      expect(client.received.at(-1)?.at).toBeGreaterThanOrEqual(dueAt);
    }
  });

  it('share schedules, idempotency keys, health and metrics', async () => {
    await using server = await start();
    const clients = await crowd(server);
    const again = { userAgent: 'crowd', query: 'lanes=instant', headers: { 'idempotency-key': 'once' } };
    const responses = await Promise.all(Array.from({ length: 10 }, () => server.trigger('"once"', again)));
    const ids = await Promise.all(
      responses.map(
        async (response) => ((await response.json()) as { messages: { id: string }[] }).messages[0]?.id,
      ),
    );
    expect(new Set(ids).size).toBe(1);
    await push(server, '"end"', 'lanes=instant');
    await Promise.all(clients.map((client) => client.receives(2)));
    for (const client of clients) expect(textsOf(client).toSorted()).toEqual(['"end"', '"once"']);

    const ready = await fetch(`${server.url}/health/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ brokers: { 'sqlite (delayed lane)': { state: 'up' } } });
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/^carillon_broker_up\{broker="sqlite \(delayed lane\)"\} 1$/m);
    const connections = metrics.matchAll(/^carillon_gateway_connections(?:\{.*\})? (\d+)$/gm);
    expect([...connections].reduce((sum, [, count]) => sum + Number(count), 0)).toBe(clients.length);
  });

  it('replace a worker that is killed: its clients reconnect, and scheduled messages arrive once', async () => {
    await using server = await start();
    const clients = await crowd(server);
    // By then the replacement is ready and the clients have reconnected.
    const dueAt = Date.now() + 15_000;
    const texts = Array.from({ length: 50 }, (_, index) => `{"due":${index}}`);
    const query = `lanes=delayed&deliverAt=${new Date(dueAt).toISOString()}`;
    await Promise.all(texts.map((text) => push(server, text, query)));

    const [victim = 0] = workersOf(server);
    const dropped = new Set<RawClient>();
    const closes = clients.map((client) => client.closed().then(() => dropped.add(client)));
    process.kill(victim, 'SIGKILL');
    await Promise.race(closes);
    await server.says(/is replaced/);
    const returned = await Promise.all(Array.from({ length: 12 }, () => server.connect('crowd')));
    const present = [...clients.filter((client) => !dropped.has(client)), ...returned];
    await push(server, '"after the death"', 'lanes=instant');
    await Promise.all(present.map((client) => client.receives(1)));
    await Promise.all(present.map((client) => client.receives(1 + texts.length)));
    await push(server, '"end"', 'lanes=instant');
    await Promise.all(present.map((client) => client.receives(2 + texts.length)));
    for (const client of present)
      expect(textsOf(client).toSorted()).toEqual(['"after the death"', '"end"', ...texts].toSorted());
    await server.says(/lane consumers is up/, 3);
    expect(workersOf(server)).toHaveLength(3);
  });

  it('close their clients on SIGTERM and exit with 0; the next start has the schedule', async () => {
    await using server = await start();
    const clients = await crowd(server);
    const deliverAt = new Date(Date.now() + 3_600_000).toISOString();
    const request = { userAgent: 'crowd', query: `lanes=delayed&deliverAt=${deliverAt}` };
    const response = await server.trigger('"kept"', request);
    const { messages } = (await response.json()) as { messages: { id: string }[] };
    const closes = clients.map((client) => client.closed());
    expect(await server.stop()).toBe(0);
    expect((await Promise.all(closes)).map(({ code }) => code)).toEqual(clients.map(() => 3001));

    await using next = await start({}, server.cwd);
    const client = await next.connect('crowd');
    const moved = await fetch(`${next.url}/schedules/${messages[0]?.id}`, {
      method: 'PATCH',
      headers: { 'user-agent': 'crowd', 'content-type': 'application/json' },
      body: '{"delay":0}',
    });
    expect(moved.status).toBe(200);
    expect((await client.receives(1)).map(({ text }) => text)).toEqual(['"kept"']);
  });

  it('end with their primary, and leave its files and its port to the next one', async () => {
    await using server = await start();
    const clients = await crowd(server);
    const closes = clients.map((client) => client.closed());
    await server.kill();
    expect(await Promise.all(closes)).toHaveLength(clients.length);
    await using next = await Server.start({
      env: { WORKERS: '2' },
      cwd: server.cwd,
      port: server.port,
    });
    await crowd(next);
  });
});

describe('WORKERS', () => {
  it('refuses a worker number that all workers would have', async () => {
    await using server = await Server.spawn({
      env: { WORKERS: '2', WORKER_ID: '0', TOTAL_WORKERS: '2' },
    });
    expect(await server.exited()).toBe(1);
    expect(server.output).toMatch(/bus\.worker\.id: .*remove it/);
  });

  it('fails immediately if the workers cannot start', async () => {
    const port = await freePort();
    await using first = await Server.start({ port });
    await using second = await Server.spawn({ env: { WORKERS: '2' }, port });
    expect(await second.exited()).toBe(1);
    expect(second.output).toMatch(/cannot_listen: port \d+ on 127.0.0.1 is in use/);
    expect(second.output).toMatch(/workers_failed: a worker ended before it was ready/);
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
  });
});
