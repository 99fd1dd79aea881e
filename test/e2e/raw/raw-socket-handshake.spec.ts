import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { HandshakeRefusedError } from '../../../src/gateway/connection/refusals.js';
import { channelOf, identity, metric, serve } from '../../support/gateway-app.js';

const forwarded = (address: string) => ({ headers: { 'x-forwarded-for': address } });

describe('raw socket handshake', () => {
  it('responds with 404 at an unknown path', async () => {
    await using server = await serve();
    const response = await server.refusal({}, '/nowhere');
    expect(response.statusCode).toBe(404);
    expect(response.headers['content-type']).toBe('application/json');
    expect(await metric('carillon_gateway_refused_handshakes_total', { reason: 'not_found' })).toBe(1);
  });

  it.each([
    ['no key', 'GET /message HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['no path', 'GET message HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    [
      'another site as path',
      'GET http://evil.org/message HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    ['an old protocol', 'GET /message HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['no host', 'GET /message HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ])('responds with 400 to a request with %s, and keeps no state', async (_, text) => {
    await using server = await serve();
    const socket = await server.dial();
    socket.write(text);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1.1 400 /);
    await once(socket, 'close');
    expect(server.table.channels).toEqual([]);
  });

  it.each(['/message', '/connection/websocket?format=protobuf'])(
    'responds to plain HTTP at %s with 426 and an explanation',
    async (path) => {
      await using server = await serve();
      for (const method of ['GET', 'POST']) {
        const response = await fetch(server.url.replace('ws:', 'http:') + path, { method });
        expect(response.status).toBe(426);
        expect(response.headers.get('upgrade')).toBe('websocket');
        expect(await response.text()).toContain('proxy');
      }
    },
  );

  it('handles requests for other upgrades as plain HTTP', async () => {
    await using server = await serve();
    const ask = request({ port: server.port, path: '/', headers: { connection: 'upgrade', upgrade: 'h2c' } });
    ask.end();
    const [response] = await once(ask, 'response');
    response.resume();
    expect(response.statusCode).toBe(404);
    expect(response.headers['content-type']).toContain('json');
  });

  it('accepts pages of its own host, and clients that are not browsers', async () => {
    await using server = await serve();
    await server.connect();
    await server.connect({ origin: server.url.replace('ws:', 'http:') });
    expect((await server.refusal({ origin: 'https://evil.org' })).statusCode).toBe(403);
  });

  it.each(['https', 'wss', 'HTTPS, http'])(
    'accepts no page of http if a trusted proxy says that the client uses %s',
    async (proto) => {
      const headers = { 'x-forwarded-proto': proto };
      await using trusting = await serve({ trustedProxies: ['loopback'] });
      await trusting.connect({ origin: trusting.url.replace('ws:', 'https:'), headers });
      const origin = trusting.url.replace('ws:', 'http:');
      expect((await trusting.refusal({ origin, headers })).statusCode).toBe(403);
      // Without a trusted proxy, the scheme is unknown.
      await using server = await serve();
      await server.connect({ origin: server.url.replace('ws:', 'http:'), headers });
    },
  );

  it('accepts only the listed origins if there is a list', async () => {
    await using server = await serve({ allowedOrigins: ['https://app.example.com'] });
    await server.connect({ origin: 'https://app.example.com' });
    for (const origin of ['https://app.example.com.evil.org', server.url.replace('ws:', 'http:')])
      expect((await server.refusal({ origin })).statusCode).toBe(403);
  });

  it.each(['x-forwarded-for', 'forwarded'])(
    'refuses a peer that sends %s and is no trusted proxy',
    async (header) => {
      await using server = await serve();
      const response = await server.refusal({ headers: { [header]: '198.51.100.1' } });
      expect(response.statusCode).toBe(403);
      expect(String((await response.toArray())[0])).toContain('"untrusted_proxy"');
      expect(server.table.channels).toEqual([]);
      // It has a login.
      await server.connect({ headers: { [header]: '198.51.100.1' } }, '/connection/websocket');
    },
  );

  it('ignores X-Forwarded-For from a peer that is not a trusted proxy, if such peers are allowed', async () => {
    await using server = await serve({ allowUntrustedProxies: true });
    const client = await server.connect(forwarded('198.51.100.1'));
    server.table.send(identity('', '198.51.100.1'), '"spoofed"');
    server.table.send(identity('', '127.0.0.1'), '"real"');
    expect(await client.messages(1)).toEqual(['"real"']);
  });

  it('uses X-Forwarded-For from a trusted proxy', async () => {
    await using server = await serve({ trustedProxies: ['loopback'] });
    const client = await server.connect(forwarded('203.0.113.9, 198.51.100.1'));
    server.table.send(identity('', '203.0.113.9'), '"claimed"');
    server.table.send(identity('', '198.51.100.1'), '"real"');
    expect(await client.messages(1)).toEqual(['"real"']);
  });

  it('limits connections, and accepts another one when one has ended', async () => {
    await using server = await serve({ limits: { connections: 2 } });
    const first = await server.connect();
    await server.connect();
    const { statusCode, headers } = await server.refusal();
    expect([statusCode, Number(headers['retry-after']) > 0]).toEqual([503, true]);
    first.socket.close();
    await first.closed;
    await server.connect();
  });

  it('limits connections by address', async () => {
    await using server = await serve({ limits: { connectionsPerAddress: 1 }, trustedProxies: ['loopback'] });
    await server.connect(forwarded('198.51.100.1'));
    expect((await server.refusal(forwarded('198.51.100.1'))).statusCode).toBe(429);
    await server.connect(forwarded('198.51.100.2'));
    const client = await server.connect(forwarded('2001:db8::1'));
    expect((await server.refusal(forwarded('2001:db8::2'))).statusCode).toBe(429);
    client.socket.close();
    await client.closed;
    await server.connect(forwarded('2001:db8::2'));
  });

  it('limits the rate of handshakes', async () => {
    await using server = await serve({ limits: { handshakes: { perSecond: 0.001, burst: 1 } } });
    await server.connect();
    expect((await server.refusal()).statusCode).toBe(503);
  });

  it('limits the rate of handshakes of one address before that of all', async () => {
    const oneAtOnce = { perSecond: 0.001, burst: 1 };
    const limits = { handshakesPerAddress: oneAtOnce, handshakes: { ...oneAtOnce, burst: 2 } };
    await using server = await serve({ limits, trustedProxies: ['loopback'] });
    await server.connect(forwarded('198.51.100.1'));
    for (let i = 0; i < 3; i++) {
      const { statusCode, headers } = await server.refusal(forwarded('198.51.100.1'));
      expect([statusCode, Number(headers['retry-after']) > 0]).toEqual([429, true]);
    }
    await server.connect(forwarded('2001:db8::1'));
    expect((await server.refusal(forwarded('2001:db8::2'))).statusCode).toBe(429);
    expect((await server.refusal(forwarded('198.51.100.2'))).statusCode).toBe(503);
  });

  it('does not count a handshake that is malformed, and prepares no connection for it', async () => {
    const limits = { handshakesPerAddress: { perSecond: 0.001, burst: 1 } };
    await using server = await serve({ limits });
    const valid = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const malformed = [
      ['POST', {}, 405],
      ['GET', { 'Sec-WebSocket-Key': 'short' }, 400],
      ['GET', { 'Sec-WebSocket-Version': '7' }, 400],
      ['GET', { 'Sec-WebSocket-Protocol': 'a, a' }, 400],
      ['GET', { 'Sec-WebSocket-Protocol': 'a,,b' }, 400],
    ] as const;
    for (const [method, headers, status] of malformed) {
      const ask = request({
        port: server.port,
        path: '/message',
        method,
        headers: { ...valid, ...headers },
      }).end();
      const [response] = await once(ask, 'response');
      expect([method, headers, response.statusCode]).toEqual([method, headers, status]);
      response.resume();
    }
    expect(server.table.channels).toEqual([]);
    await server.connect();
  });

  it('disconnects a client that does not finish its headers', async () => {
    await using server = await serve({ http: { requestTimeoutMs: 200 } });
    const [silent, half] = [await server.dial(), await server.dial()];
    half.write('GET /message HTTP/1.1\r\nHost: a\r\nConnection: Upgr');
    for (const socket of [silent, half]) socket.resume();
    await Promise.all([once(silent, 'close'), once(half, 'close')]);
    expect(server.table.channels).toEqual([]);
  });

  it('refuses headers that are too large', async () => {
    await using server = await serve({ http: { maxHeaderBytes: 2_000 } });
    expect((await server.refusal({ headers: { 'x-large': 'a'.repeat(3_000) } })).statusCode).toBe(431);
  });

  it('responds with the status, the code and the message of the error that join rejects with', async () => {
    await using server = await serve();
    server.table.ready = Promise.reject(
      new HandshakeRefusedError({ status: 401, code: 'unauthorized', message: 'the token has expired' }),
    );
    const response = await server.refusal();
    expect(response.statusCode).toBe(401);
    expect(response.headers['retry-after']).toBeUndefined();
    expect(JSON.parse(String((await response.toArray())[0]))).toEqual({
      error: { code: 'unauthorized', message: 'the token has expired' },
    });
    expect(await metric('carillon_gateway_refused_handshakes_total', { reason: 'unauthorized' })).toBe(1);
    expect(server.table.channels).toEqual([]);
  });

  it('responds with 503 when join rejects with any other error', async () => {
    await using server = await serve();
    server.table.ready = Promise.reject(new Error('the store is unavailable'));
    expect((await server.refusal()).statusCode).toBe(503);
  });

  it('survives a client that resets while its handshake waits', async () => {
    await using server = await serve();
    const attached = Promise.withResolvers<void>();
    server.table.ready = attached.promise;
    const socket = await server.dial();
    socket.write(
      'GET /message HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    while (server.table.channels.length < 2) await new Promise(setImmediate);
    socket.resetAndDestroy();
    await once(socket, 'close');
    attached.resolve();
    while (server.table.channels.length > 0) await new Promise(setImmediate);
    server.table.ready = Promise.resolve();
    const next = await server.connect();
    expect(server.table.channels).toContain(channelOf(next));
  });
});
