/** Backends in processes of their own that fail in every way, behind the built server, with the real JavaScript client. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Centrifuge } from 'centrifuge';
import { WebSocket } from 'ws';
import { freePort } from '../../../scripts/brokers/ports.ts';
import { Server } from '../../support/server.js';

class Backend implements AsyncDisposable {
  private constructor(
    private readonly process: ChildProcess,
    readonly port: number,
  ) {}

  static async start(port = 0): Promise<Backend> {
    const process = fork(join(import.meta.dirname, 'backend.mjs'), [String(port)], { execArgv: [] });
    const [listening] = (await once(process, 'message')) as [number];
    return new Backend(process, listening);
  }

  async calls(): Promise<Record<string, number>> {
    const response = await fetch(`http://127.0.0.1:${this.port}/calls`);
    return (await response.json()) as Record<string, number>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
  }
}

/** Long enough for a good answer on a busy machine. */
const TIMEOUT_MS = 2_000;
const unavailable = { code: 100, message: 'internal server error', temporary: true };

function startServer(
  port: number,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<Server> {
  const all = {
    'gateway.client.proxies.connect.endpoint': `http://127.0.0.1:${port}/connect`,
    'gateway.client.proxies.connect.timeoutMs': 10_000,
    'gateway.client.proxies.rpc.endpoint': `http://127.0.0.1:${port}/rpc`,
    'gateway.client.proxies.rpc.timeoutMs': TIMEOUT_MS,
    'gateway.client.proxies.rpcWithoutNamespace.proxyEnabled': 'true',
    'webhooks.breaker.minimumCalls': 1_000,
    ...settings,
  };
  return Server.start({ args: Object.entries(all).map(([name, value]) => `--${name}=${value}`) });
}

const clients: Centrifuge[] = [];

async function connect(server: Server): Promise<Centrifuge> {
  const url = `ws://127.0.0.1:${server.port}/connection/websocket`;
  const client = new Centrifuge(url, { websocket: WebSocket, timeout: 20_000 });
  clients.push(client);
  client.connect();
  await client.ready();
  return client;
}

/** Calls a method. Returns the error, or the data. */
async function call(client: Centrifuge, method: string): Promise<unknown> {
  return client.rpc(method, { method }).then(
    ({ data }) => data as unknown,
    (error: unknown) => error,
  );
}

/** Returns the sum of the samples that match. */
async function metric(server: Server, pattern: RegExp): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => pattern.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

afterAll(() => {
  for (const client of clients) client.disconnect();
});

describe('A backend that misbehaves', () => {
  let backend: Backend;
  let server: Server;

  beforeAll(async () => {
    backend = await Backend.start();
    server = await startServer(backend.port);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  it.each([
    ['slow', 'timeout'],
    ['rubbish', 'ok'],
    ['wrong', 'ok'],
    ['500', 'status'],
    ['redirect', 'status'],
    ['redirect-elsewhere', 'status'],
    ['endless', 'timeout|too_large'],
    ['large', 'too_large'],
    ['not-http', 'malformed'],
    ['half', 'interrupted'],
    ['reset', 'interrupted'],
  ])(
    'with %s gives the caller error 100, is called once, and nobody else notices',
    async (method, result) => {
      const [caller, other] = await Promise.all([connect(server), connect(server)]);
      const counted = new RegExp(`^carillon_webhooks_calls_total\\{target="rpc",result="(?:${result})"\\} `);
      const before = await metric(server, counted);
      const failing = call(caller, method);
      expect(await call(other, 'fast')).toEqual({ method: 'fast' });
      expect(await failing).toEqual(unavailable);
      expect(await call(caller, 'fast')).toEqual({ method: 'fast' });
      expect(await backend.calls()).toMatchObject({ [method]: 1 });
      expect(await backend.calls()).not.toHaveProperty('internal');
      expect(await metric(server, counted)).toBeGreaterThan(before);
    },
  );

  it('that closes a kept-alive connection as it is reused is called once, and the next call succeeds', async () => {
    const client = await connect(server);
    for (let round = 1; round <= 5; round++) {
      await call(client, 'fast');
      expect(await call(client, 'reused')).toEqual(unavailable);
      expect(await backend.calls()).toMatchObject({ reused: round });
    }
    expect(await call(client, 'fast')).toEqual({ method: 'fast' });
  });

  it('that is slow holds back the commands of its own client only, in their order', async () => {
    const [waiting, other] = await Promise.all([connect(server), connect(server)]);
    const order: string[] = [];
    const calls = ['slow', 'fast'].map((method) => call(waiting, method).then(() => order.push(method)));
    await call(other, 'fast').then(() => order.push('fast of the other'));
    await Promise.all(calls);
    expect(order).toEqual(['fast of the other', 'slow', 'fast']);
  });

  it('does not hold up a shutdown', async () => {
    const settings = { 'gateway.client.proxies.rpc.timeoutMs': 600_000 };
    await using stopping = await startServer(backend.port, settings);
    const client = await connect(stopping);
    const { slow = 0 } = await backend.calls();
    void call(client, 'slow');
    while ((await backend.calls())['slow'] === slow);
    expect(await stopping.stop()).toBe(0);
  });
});

describe('A backend that is not there', () => {
  it('gives clients error 100, is suspended, and is called again when it is back', async () => {
    const port = await freePort();
    await using server = await startServer(port, {
      'gateway.client.proxies.connect.timeoutMs': 500,
      'webhooks.breaker.minimumCalls': 5,
      'webhooks.breaker.openMs': 100,
    });
    const url = `ws://127.0.0.1:${server.port}/connection/websocket`;
    const client = new Centrifuge(url, { websocket: WebSocket, minReconnectDelay: 5, maxReconnectDelay: 10 });
    clients.push(client);
    const errors: number[] = [];
    client.on('error', ({ error }) => errors.push(error.code));
    client.connect();
    await server.says(/connect is suspended for 100 ms, because too many calls failed: no connection/);
    expect(
      await metric(server, /^carillon_webhooks_calls_total\{target="connect",result="unreachable"\}/),
    ).toBe(5);
    await using _ = await Backend.start(port);
    await client.ready();
    expect(errors).toEqual(expect.arrayContaining([100]));
    expect(await metric(server, /^carillon_webhooks_breaker_open\{target="connect"\}/)).toBe(0);
  });

  it('is not called if its name resolves to an address that a rule denies', async () => {
    await using backend = await Backend.start();
    await using server = await startServer(backend.port, {
      'gateway.client.proxies.connect.endpoint': `http://localhost:${backend.port}/fast`,
      'webhooks.addresses.deny': '127.0.0.0/8,::1',
    });
    const url = `ws://127.0.0.1:${server.port}/connection/websocket`;
    const client = new Centrifuge(url, { websocket: WebSocket });
    clients.push(client);
    const failed = new Promise<{ error: { code: number } }>((resolve) => client.once('error', resolve));
    client.connect();
    expect((await failed).error.code).toBe(100);
    await server.says(/webhook_address_refused: localhost resolves to /);
    expect(await backend.calls()).toEqual({});
  });
});
