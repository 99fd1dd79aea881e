import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { channelOf, identity, metric, serve } from '../../support/gateway-app.js';

describe('raw socket', () => {
  it('delivers to all clients of one identity, as text frames without an envelope', async () => {
    await using server = await serve();
    const one = await server.connect({ headers: { 'user-agent': 'bell/1' } });
    const two = await server.connect({ headers: { 'user-agent': 'bell/1' } });
    const other = await server.connect({ headers: { 'user-agent': 'bell/2' } });
    server.table.send(identity('bell/1'), '{"id":"Hello"}');
    expect(await one.messages(1)).toEqual(['{"id":"Hello"}']);
    expect(await two.messages(1)).toEqual(['{"id":"Hello"}']);
    server.table.send(identity('bell/2'), '1');
    expect(await other.messages(1)).toEqual(['1']);
  });

  it('sends bytes as a binary frame', async () => {
    await using server = await serve();
    const client = await server.connect();
    const message = once(client.socket, 'message');
    server.table.send(channelOf(client), Buffer.from([0, 255]), 'binary');
    expect(await message).toEqual([Buffer.from([0, 255]), true]);
  });

  it('treats a missing User-Agent as an empty one', async () => {
    await using server = await serve();
    const client = await server.connect();
    server.table.send(identity(''), '1');
    expect(await client.messages(1)).toEqual(['1']);
  });

  it('sends the client its connection id, which addresses only this connection', async () => {
    await using server = await serve();
    const one = await server.connect();
    const two = await server.connect();
    expect(one.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    server.table.send(channelOf(one), '"one"');
    server.table.send(identity(''), '"both"');
    expect(await two.messages(1)).toEqual(['"both"']);
    expect(await one.messages(2)).toEqual(['"one"', '"both"']);
  });

  it('opens the socket when the client is subscribed, and then delivers everything since', async () => {
    await using server = await serve();
    const attached = Promise.withResolvers<void>();
    server.table.ready = attached.promise;
    const opening = server.connect();
    while (server.table.channels.length < 2) await new Promise(setImmediate);
    server.table.send(identity(''), '"early"');
    attached.resolve();
    expect(await (await opening).messages(1)).toEqual(['"early"']);
  });

  it('refuses a client that cannot be subscribed in time, and keeps no state', async () => {
    await using server = await serve({ attachTimeoutMs: 50 });
    server.table.ready = new Promise(() => {});
    const { statusCode, headers } = await server.refusal();
    expect(statusCode).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(server.table.channels).toEqual([]);
  });

  it('refuses a client whose subscription fails, and keeps no state', async () => {
    await using server = await serve();
    server.table.ready = Promise.reject(new Error('the store is unavailable'));
    expect((await server.refusal()).statusCode).toBe(503);
    expect(server.table.channels).toEqual([]);
  });

  it('accepts, counts and ignores what the client sends', async () => {
    await using server = await serve();
    const client = await server.connect();
    client.socket.send('hello');
    client.socket.send(Buffer.from([1]));
    client.socket.ping();
    await once(client.socket, 'pong');
    expect(await metric('carillon_gateway_messages_received_total', { protocol: 'raw' })).toBe(2);
    server.table.send(channelOf(client), '1');
    expect(await client.messages(1)).toEqual(['1']);
  });

  it('detaches a client that closes', async () => {
    await using server = await serve();
    const client = await server.connect();
    expect(await metric('carillon_gateway_connections', { protocol: 'raw' })).toBe(1);
    expect(server.table.channels).toHaveLength(2);
    client.socket.close(4711);
    await client.closed;
    expect(server.table.channels).toEqual([]);
    expect(await metric('carillon_gateway_connections', { protocol: 'raw' })).toBe(0);
    expect(await metric('carillon_gateway_closes_total', { code: 'other' })).toBe(1);
  });

  it('detaches a client that vanishes', async () => {
    await using server = await serve();
    const client = await server.connect();
    client.socket.terminate();
    await client.closed;
    while (server.table.channels.length > 0) await new Promise(setImmediate);
    expect(await metric('carillon_gateway_closes_total', { code: '1006' })).toBe(1);
  });

  it('measures deliveries, and latency once per publication', async () => {
    await using server = await serve();
    const one = await server.connect();
    const two = await server.connect();
    server.table.send(identity(''), '1');
    await one.messages(1);
    await two.messages(1);
    expect(await metric('carillon_gateway_messages_delivered_total')).toBe(2);
    expect(await metric('carillon_gateway_delivery_latency_seconds', { lane: 'direct', le: '+Inf' })).toBe(1);
  });
});
