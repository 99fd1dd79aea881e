import { describe, expect, it } from '@jest/globals';
import { identity, metric, serve } from '../../support/gateway-app.js';

const payload = JSON.stringify('a'.repeat(64 * 1024));

describe('raw socket with a slow client', () => {
  it('closes the client with 3008, while others receive everything', async () => {
    await using server = await serve({ closeTimeoutMs: 60_000 });
    const slow = await server.connect();
    const fast = await server.connect();
    slow.socket.pause();
    let sent = 0;
    while ((await metric('carillon_gateway_closes_total', { code: '3008' })) === 0) {
      server.table.send(identity(''), payload);
      sent++;
      await fast.messages(sent);
      expect(await metric('carillon_gateway_outbox_bytes')).toBeLessThanOrEqual(1_048_576);
    }
    server.table.send(identity(''), '"after"');
    expect((await fast.messages(sent + 1)).at(-1)).toBe('"after"');
    expect(await metric('carillon_gateway_messages_dropped_total')).toBe(1);
    // The client still receives what the operating system has accepted, and then the close.
    slow.socket.resume();
    expect(await slow.closed).toEqual({ code: 3008, reason: 'slow' });
    expect(slow.received.length).toBeLessThan(sent);
    expect(slow.received.every((message) => message === payload)).toBe(true);
  });

  it('disconnects the client if it does not read the close either', async () => {
    await using server = await serve({ closeTimeoutMs: 50, outboxMaxBytes: 65_536 });
    const slow = await server.connect();
    slow.socket.pause();
    while ((await metric('carillon_gateway_connections', { protocol: 'raw' })) > 0) {
      server.table.send(identity(''), payload);
      await new Promise(setImmediate);
    }
    expect(await metric('carillon_gateway_closes_total', { code: '3008' })).toBe(1);
  });

  it('keeps a client that catches up, in order', async () => {
    await using server = await serve();
    const client = await server.connect();
    client.socket.pause();
    let sent = 0;
    // Until the operating system accepts no more.
    while ((await metric('carillon_gateway_outbox_bytes')) < 300_000) {
      server.table.send(identity(''), `[${sent++},${payload}]`);
      await new Promise(setImmediate);
    }
    for (let i = 0; i < 100; i++) server.table.send(identity(''), `[${sent++}]`);
    client.socket.resume();
    const received = (await client.messages(sent)).map((text) => (JSON.parse(text) as [number])[0]);
    expect(received).toEqual(Array.from({ length: sent }, (_, i) => i));
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('closes a client that pings and never reads', async () => {
    await using server = await serve({
      outboxMaxBytes: 10_000,
      closeTimeoutMs: 50,
      limits: { inbound: { perSecond: 1_000_000, burst: 1_000_000 } },
    });
    const client = await server.connect();
    client.socket.pause();
    client.socket.on('error', () => {});
    const ping = Buffer.alloc(125);
    while ((await metric('carillon_gateway_closes_total', { code: '3008' })) === 0) {
      for (let i = 0; i < 1_000; i++) client.socket.ping(ping);
      await new Promise(setImmediate);
    }
    client.socket.terminate();
    await client.closed;
    expect(await metric('carillon_gateway_outbox_bytes')).toBe(0);
  });
});
