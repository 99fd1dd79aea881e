import { describe, expect, it } from '@jest/globals';
import { ConnectionAdmission } from '../../../src/gateway/connection/connection-admission.js';
import { channelOf, metric, serve, type Client, type Server } from '../../support/gateway-app.js';

function crowd(server: Server, size: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: size }, () => server.connect()));
}

describe('raw socket at shutdown', () => {
  it('closes clients with 3001 at the configured rate, and refuses new ones', async () => {
    await using server = await serve({ drain: { connectionsPerSecond: 4 } });
    const clients = await crowd(server, 20);
    const startedAt = performance.now();
    const closedAt: number[] = [];
    for (const { closed } of clients) void closed.then(() => closedAt.push(performance.now() - startedAt));
    const stopping = server.app.close();
    await clients[0]!.closed;
    expect((await server.refusal()).statusCode).toBe(503);
    const reasons = await Promise.all(clients.map(({ closed }) => closed));
    expect(reasons.every(({ code, reason }) => code === 3001 && reason === 'shutdown')).toBe(true);
    await stopping;
    // Twenty clients at 4 per second: half of them are closed within 2.5 s, and the last after nearly 5 s.
    expect(closedAt.filter((ms) => ms < 2_250).length).toBeLessThanOrEqual(12);
    expect(closedAt.at(-1)).toBeGreaterThan(4_000);
    expect(await metric('carillon_gateway_connections', { protocol: 'raw' })).toBe(0);
    expect(server.table.channels).toEqual([]);
  });

  it('closes all clients in time even if the configured rate is too low for that', async () => {
    await using server = await serve({ drain: { connectionsPerSecond: 1, timeoutMs: 1_000 } });
    const clients = await crowd(server, 20);
    await server.app.close();
    const reasons = await Promise.all(clients.map(({ closed }) => closed));
    expect(reasons.map(({ code }) => code)).toEqual(Array(20).fill(3001));
  });

  it('sends waiting messages before the close', async () => {
    await using server = await serve();
    const client = await server.connect();
    server.table.send(channelOf(client), '"last"');
    await server.app.close();
    expect((await client.closed).code).toBe(3001);
    expect(client.received).toEqual(['"last"']);
  });

  it('disconnects clients that do not answer the close', async () => {
    await using server = await serve({ drain: { timeoutMs: 200 }, closeTimeoutMs: 60_000 });
    const client = await server.connect();
    client.socket.pause();
    await server.app.close();
    expect(await metric('carillon_gateway_connections', { protocol: 'raw' })).toBe(0);
    client.socket.resume();
    await client.closed;
  });

  it('refuses a handshake that waits when the shutdown begins', async () => {
    await using server = await serve();
    const attached = Promise.withResolvers<void>();
    server.table.ready = attached.promise;
    const refused = server.refusal();
    while (server.table.channels.length < 2) await new Promise(setImmediate);
    const stopping = server.app.close();
    while (!server.app.get(ConnectionAdmission).isShut) await new Promise(setImmediate);
    attached.resolve();
    expect((await refused).statusCode).toBe(503);
    await stopping;
    expect(server.table.channels).toEqual([]);
  });
});
