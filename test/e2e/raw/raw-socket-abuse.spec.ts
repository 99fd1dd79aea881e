import { once } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { metric, serve, type Client } from '../../support/gateway-app.js';

/** Returns a frame of a client, masked with zeros. */
function masked(first: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

describe('raw socket with a hostile client', () => {
  it.each([
    ['a message over the limit', 1009, (client: Client) => client.socket.send('a'.repeat(65_537))],
    [
      'a message over the limit in fragments',
      1009,
      (client: Client) => {
        for (let i = 0; i < 3; i++) client.socket.send('a'.repeat(30_000), { fin: false });
      },
    ],
    [
      'text that is not UTF-8',
      1007,
      (client: Client) => client.socket.send(Buffer.from([0xff]), { binary: false }),
    ],
    ['a frame that is not masked', 1002, (client: Client) => client.wire.write(Buffer.from([0x81, 1, 0x61]))],
    ['a reserved bit', 1002, (client: Client) => client.wire.write(masked(0xc1))],
    ['a fragmented ping', 1002, (client: Client) => client.wire.write(masked(0x09))],
    [
      'a flood of empty fragments',
      1008,
      (client: Client) => {
        client.wire.write(Buffer.concat([masked(0x01), ...Array<Buffer>(1_100).fill(masked(0x00))]));
      },
    ],
  ])('closes a client that sends %s with %d, and does not affect other clients', async (_, code, attack) => {
    await using server = await serve();
    const [bystander, attacker] = [await server.connect(), await server.connect()];
    attack(attacker);
    expect((await attacker.closed).code).toBe(code);
    expect(await metric('carillon_gateway_closes_total', { code: String(code) })).toBe(1);
    bystander.socket.ping();
    await once(bystander.socket, 'pong');
    expect(bystander.received).toEqual([]);
  });

  it.each([
    ['messages', (client: Client) => client.socket.send('a')],
    ['pings', (client: Client) => client.socket.ping()],
    ['pongs', (client: Client) => client.socket.pong()],
  ])('slows down a client that sends a flood of %s, and does not affect other clients', async (_, send) => {
    await using server = await serve({ limits: { inbound: { perSecond: 500, burst: 50 } } });
    const [bystander, attacker] = [await server.connect(), await server.connect()];
    const startedAt = performance.now();
    for (let i = 0; i < 250; i++) send(attacker);
    bystander.socket.ping();
    await once(bystander.socket, 'pong');
    // The answers to a flood of pings come before the last one.
    const answered = new Promise<void>((resolve) => {
      attacker.socket.on('pong', (data) => String(data) === 'last' && resolve());
    });
    attacker.socket.ping(Buffer.from('last'));
    await answered;
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(380);
    expect(attacker.socket.readyState).toBe(attacker.socket.OPEN);
    expect(bystander.received).toEqual([]);
  });

  it('answers what the client sent before it broke the protocol', async () => {
    await using server = await serve();
    const client = await server.connect();
    const onPong = jest.fn();
    client.socket.on('pong', onPong);
    client.wire.write(Buffer.concat([masked(0x89), masked(0xc1)]));
    expect((await client.closed).code).toBe(1002);
    expect(onPong).toHaveBeenCalledTimes(1);
  });

  it('accepts messages up to the limit', async () => {
    await using server = await serve();
    const client = await server.connect();
    client.socket.send('a'.repeat(65_536));
    client.socket.ping();
    await once(client.socket, 'pong');
    expect(await metric('carillon_gateway_messages_received_total', { protocol: 'raw' })).toBe(1);
  });

  it('disconnects a client that does not answer a close', async () => {
    await using server = await serve({ closeTimeoutMs: 50 });
    const client = await server.connect();
    // It keeps reading, so that only the missing answer keeps the socket open.
    client.wire.removeAllListeners('data');
    client.wire.on('data', () => {}).write(masked(0xc1));
    expect((await client.closed).code).toBe(1006);
    while (server.table.channels.length > 0) await new Promise(setImmediate);
    expect(await metric('carillon_gateway_closes_total', { code: '1002' })).toBe(1);
  });

  it('closes a client that does not answer pings', async () => {
    await using server = await serve({ heartbeat: { pingIntervalMs: 3_000, pongTimeoutMs: 2_500 } });
    const deaf = await server.connect({ autoPong: false });
    const alive = await server.connect();
    expect(await deaf.closed).toEqual({ code: 3012, reason: 'no pong' });
    await once(alive.socket, 'ping');
    await once(alive.socket, 'ping');
    expect(alive.socket.readyState).toBe(alive.socket.OPEN);
  });
});
