import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpAdapter } from '../http-adapter.js';
import { httpOptions } from '../http.options.js';
import type { ConnectionRefusal } from './http-connections.js';

const LARGE = Buffer.alloc(32 * 1024 * 1024);

describe('HttpConnections', () => {
  let adapter: HttpAdapter;
  let refused: ConnectionRefusal[];
  let release: () => void;
  let clients: Socket[];

  const listen = async (limits: object): Promise<void> => {
    adapter = new HttpAdapter(httpOptions.parse({ limits }));
    refused = [];
    adapter.connections.onRefused = (reason) => refused.push(reason);
    const held = Promise.withResolvers<void>();
    release = held.resolve;
    const server = adapter.getInstance();
    server.get('/held', async () => {
      await held.promise;
      return 'released';
    });
    server.get('/large', () => LARGE);
    server.post('/body', () => 'never');
    await server.listen({ port: 0, host: '127.0.0.1' });
  };
  const open = async (): Promise<Socket> => {
    const { port } = adapter.getHttpServer().address() as AddressInfo;
    const client = connect(port, '127.0.0.1');
    client.on('error', () => {});
    clients.push(client);
    await once(client, 'connect');
    return client;
  };
  const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const accepted = async (count: number): Promise<void> => {
    while (adapter.connections.size < count) await new Promise(setImmediate);
  };

  beforeEach(() => {
    clients = [];
  });
  afterEach(async () => {
    release();
    for (const client of clients) client.destroy();
    await adapter.close();
  });

  it('refuses connections beyond the number for one address', async () => {
    await listen({ connectionsPerAddress: 2 });
    await Promise.all([open(), open()]);
    await accepted(2);
    expect(await text(await open())).toMatch(/^HTTP\/1.1 503 [^]*Retry-After: 1[^]*"too_many_connections"/);
    expect(refused).toEqual(['connections_per_address']);
  });

  it('accepts another connection when one has closed', async () => {
    await listen({ connections: 1 });
    const first = await open();
    await accepted(1);
    first.destroy();
    while (adapter.connections.size > 0) await new Promise(setImmediate);
    const second = await open();
    second.write(request('/absent'));
    const [reply] = (await once(second, 'data')) as [Buffer];
    expect(reply.toString()).toMatch(/^HTTP\/1.1 404 /);
  });

  it('handles a bounded number of the requests that a connection pipelines', async () => {
    await listen({ requestsInFlightPerConnection: 3 });
    const client = await open();
    client.write(request('/held').repeat(50));
    while (refused.length === 0) await new Promise(setImmediate);
    release();
    const replies = await text(client);
    expect(replies.match(/released/g)).toHaveLength(3);
    expect(replies).toMatch(/HTTP\/1.1 503 [^]*"too_many_requests_in_flight"/);
    expect(new Set(refused)).toEqual(new Set(['requests_in_flight']));
  });

  it('cuts off a client that does not read its response', async () => {
    await listen({ responseTimeoutMs: 1_000 });
    const client = await open();
    client.write(request('/large'));
    client.pause();
    while (refused.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(refused).toEqual(['unread_response']);
  });

  it.each([
    ['sent nothing', ''],
    ['sent half of a head', 'GET / HT'],
    ['sent half of a body', 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345'],
  ])('closes a client that %s when the server closes', async (_, bytes) => {
    await listen({});
    const client = await open();
    client.write(bytes);
    await accepted(1);
    const closed = new Promise((resolve) => client.on('close', resolve));
    await adapter.close();
    await closed;
    expect(adapter.connections.size).toBe(0);
  });

  it('finishes the requests that are being handled when the server closes, and says that the connection closes', async () => {
    await listen({});
    const client = await open();
    adapter.stopping();
    client.write(request('/held'));
    const reply = text(client);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closed = adapter.close();
    release();
    expect(await reply).toMatch(/^HTTP\/1.1 200 [^]*connection: close[^]*released/i);
    await closed;
  });
});
