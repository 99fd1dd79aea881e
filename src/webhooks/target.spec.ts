import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { makeCertificate } from '../../scripts/brokers/certificate.js';
import { AddressGuard } from './address-guard.js';
import { OutgoingConnections } from './connections.js';
import { WebhookTarget } from './target.js';
import type { TargetMetrics } from './webhooks.metrics.js';
import { targetShape, webhooksOptions } from './webhooks.options.js';

const BODY = Buffer.from('{"a":1}');
const HEADERS = { 'content-type': 'application/json' };

/** Counts what a target reports. */
class CountedMetrics implements TargetMetrics {
  readonly results: string[] = [];
  retries = 0;
  isSuspended = false;
  onRetry = (): void => {};
  started(): void {}
  ended(result: string): void {
    this.results.push(result);
  }
  refused(result: string): void {
    this.results.push(result);
  }
  retried(): void {
    this.retries++;
    this.onRetry();
  }
  suspended(isSuspended: boolean): void {
    this.isSuspended = isSuspended;
  }
}

let server: Server | undefined;
let target: WebhookTarget;
let metrics: CountedMetrics;
const sockets = new Set<Socket>();

beforeEach(() => void jest.spyOn(Logger.prototype, 'warn').mockReturnValue());
afterEach(async () => {
  jest.restoreAllMocks();
  await target.close();
  for (const socket of sockets) socket.destroy();
  server?.close();
  server = undefined;
});

/** Starts a server and returns its origin. */
async function listen(started: Server, port = 0): Promise<string> {
  server = started;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const http = (handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> =>
  listen(createHttpServer(handle));

/** A server that has its own idea of HTTP. */
const raw = (onData: (socket: Socket, data: Buffer) => void): Promise<string> =>
  listen(createServer((socket) => socket.on('data', (data) => onData(socket, data))));

interface Given {
  readonly target?: z.input<z.ZodObject<typeof targetShape>>;
  readonly all?: z.input<typeof webhooksOptions>;
}

function targetOf(url: string, { target: own = {}, all = {} }: Given = {}): WebhookTarget {
  const options = webhooksOptions.parse(all);
  metrics = new CountedMetrics();
  const guard = new AddressGuard(options.addresses);
  const connections = new OutgoingConnections(guard, options.maxConnections, () => {});
  const definition = {
    name: 'test',
    url,
    trust: 'configured',
    options: z.strictObject(targetShape).parse({ timeoutMs: 10_000, ...own }),
  } as const;
  target = new WebhookTarget(definition, { options, connections, metrics });
  return target;
}

const post = (): ReturnType<WebhookTarget['post']> => target.post(BODY, HEADERS);
const failure = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no failure',
    (error: { code: string }) => error.code,
  );

describe('WebhookTarget', () => {
  it('posts a body and returns the response, over a kept-alive connection', async () => {
    const bodies: string[] = [];
    let connections = 0;
    const url = await http((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => {
        bodies.push(`${request.method} ${request.url} ${request.headers['content-type']} ${text}`);
        response.writeHead(201, { 'x-answer': 'yes' }).end('done');
      });
    });
    server!.on('connection', () => connections++);
    targetOf(`${url}/path?query=1`);
    for (let call = 0; call < 10; call++) {
      const { status, headers, body } = await post();
      expect([status, headers['x-answer'], body.toString()]).toEqual([201, 'yes', 'done']);
    }
    expect(bodies).toEqual(Array(10).fill('POST /path?query=1 application/json {"a":1}'));
    expect(metrics.results).toEqual(Array(10).fill('ok'));
    // A connection is free one turn of the event loop after its response.
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('signs each call, and sends the user information of its URL as Basic authentication', async () => {
    const url = await http((request, response) => response.end(JSON.stringify(request.headers)));
    const signingSecrets = [`whsec_${Buffer.alloc(24, 7).toString('base64')}`];
    targetOf(url.replace('//', '//me:secret@'), { target: { signingSecrets } });
    const headers = JSON.parse((await post()).body.toString()) as Record<string, string>;
    expect(headers['authorization']).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`);
    expect(headers['webhook-signature']).toMatch(/^v1,[\w+/]{43}=$/);
    expect(headers['webhook-id']).toMatch(/^[\da-f-]{36}$/);
    expect(Number(headers['webhook-timestamp'])).toBeGreaterThan(1_700_000_000);
  });

  it('takes a redirect as the response, and does not follow it', async () => {
    const seen: string[] = [];
    const url = await http(({ url: path = '' }, response) => {
      seen.push(path);
      response.writeHead(302, { location: '/internal' }).end();
    });
    targetOf(`${url}/start`);
    expect((await post()).status).toBe(302);
    expect([seen, metrics.results]).toEqual([['/start'], ['status']]);
  });

  it.each([
    ['no response', 'the backend did not answer', (): void => {}],
    [
      'a body without end',
      'did not end',
      (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\nabc'),
    ],
  ])('fails in time if there is %s, without another attempt', async (_, message, answer) => {
    let requests = 0;
    const url = await raw((socket) => {
      requests++;
      answer(socket);
    });
    targetOf(url, { target: { timeoutMs: 50 } });
    await expect(post()).rejects.toThrow(message);
    expect([requests, metrics.results, metrics.retries]).toEqual([1, ['timeout'], 0]);
  });

  it.each([
    ['headersTimeoutMs', (): void => {}],
    ['bodyTimeoutMs', (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\nabc')],
  ])('limits a phase of the call with %s', async (setting, answer) => {
    targetOf(await raw(answer), { target: { [setting]: 20 } });
    expect(await failure(post())).toBe('webhook_timeout');
  });

  it.each([
    ['announced', 'HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n'],
    ['sent', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(2_000)}`],
  ])('fails if more bytes than allowed are %s', async (_, response) => {
    targetOf(await raw((socket) => socket.write(response)), { target: { maxResponseBytes: 1_000 } });
    expect(await failure(post())).toBe('webhook_response_too_large');
  });

  it.each([
    ['rubbish', 'webhook_response_malformed', (socket: Socket) => socket.write('what?\r\n\r\n')],
    [
      'endless headers',
      'webhook_response_malformed',
      (socket: Socket) => socket.write(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(10_000)}`),
    ],
    ['the end of the connection', 'webhook_interrupted', (socket: Socket) => socket.end()],
    ['a reset', 'webhook_interrupted', (socket: Socket) => socket.resetAndDestroy()],
    [
      'half a body',
      'webhook_interrupted',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'),
    ],
  ])('fails if the answer is %s, without another attempt', async (_, code, answer) => {
    let requests = 0;
    targetOf(
      await raw((socket) => {
        requests++;
        answer(socket);
      }),
    );
    expect(await failure(post())).toBe(code);
    expect([requests, metrics.retries]).toEqual([1, 0]);
  });

  it('repeats a call that could not be sent, because nothing listens yet', async () => {
    const url = await http((_, response) => response.end());
    const port = Number(new URL(url).port);
    server!.close();
    await once(server!, 'close');
    targetOf(url);
    const listening = Promise.withResolvers<string>();
    metrics.onRetry = () => {
      metrics.onRetry = () => {};
      listening.resolve(
        listen(
          createHttpServer((_, response) => response.end('at last')),
          port,
        ),
      );
    };
    expect((await post()).body.toString()).toBe('at last');
    expect(metrics.retries).toBeGreaterThan(0);
  });

  it('gives up a call that cannot be sent', async () => {
    const url = await http(() => {});
    server!.close();
    await once(server!, 'close');
    targetOf(url);
    await expect(post()).rejects.toThrow(/no connection to the backend: .*ECONNREFUSED/);
    expect([metrics.results, metrics.retries]).toEqual([['unreachable'], 2]);
  });

  it('takes another connection if the backend has closed the kept-alive one, and calls once', async () => {
    let requests = 0;
    let connections = 0;
    const url = await raw((socket) => {
      requests++;
      socket.end('HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok');
    });
    server!.on('connection', () => connections++);
    targetOf(url);
    for (let call = 0; call < 20; call++) expect((await post()).body.toString()).toBe('ok');
    expect([requests, connections, metrics.retries]).toEqual([20, 20, 0]);
  });

  it('does not repeat a call if the backend closes the connection as it is reused', async () => {
    const requests: number[] = [];
    const url = await raw((socket) => {
      requests.push(requests.length);
      if (requests.length === 2) socket.destroy();
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    });
    targetOf(url);
    await post();
    expect(await failure(post())).toBe('webhook_interrupted');
    expect(requests).toHaveLength(2);
  });

  it('does not call an address that a rule denies, by address or by name', async () => {
    let connections = 0;
    const url = await http(() => {});
    server!.on('connection', () => connections++);
    const all = { addresses: { deny: ['127.0.0.0/8', '::1'] } };
    targetOf(url, { all });
    expect(await failure(post())).toBe('webhook_address_refused');
    await target.close();
    targetOf(url.replace('127.0.0.1', 'localhost'), { all });
    expect(await failure(post())).toBe('webhook_address_refused');
    expect(connections).toBe(0);
  });

  it('verifies the certificate of the backend, and presents its own', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'carillon-tls-'));
    const { authority: ca, certificate: cert, key } = await makeCertificate(directory);
    const text = (file: string) => readFileSync(file, 'utf8');
    const secured = { key: text(key), cert: text(cert), ca: text(ca), requestCert: true };
    const secure = createHttpsServer(secured, (_, response) => response.end());
    const url = (await listen(secure)).replace('http:', 'https:');
    targetOf(url);
    await expect(post()).rejects.toThrow(/no connection to the backend: .*self-signed certificate/);
    await target.close();
    // A path, PEM text and base64.
    const tls = { ca, cert: text(cert), key: Buffer.from(text(key)).toString('base64') };
    targetOf(url, { target: { tls: { ...tls, serverName: 'backend.test' } } });
    await expect(post()).rejects.toThrow(/no connection to the backend: .*altnames/);
    await target.close();
    targetOf(url, { target: { tls } });
    expect((await post()).status).toBe(200);
    rmSync(directory, { recursive: true });
  });

  it('lets calls wait for a connection, and refuses more than may wait', async () => {
    const responses: ServerResponse[] = [];
    const url = await http((_, response) => {
      responses.push(response);
      if (responses.length > 1) response.end();
    });
    targetOf(url, { all: { maxConnectionsPerTarget: 1, maxWaitingPerTarget: 1 } });
    const requested = once(server!, 'request');
    const calls = [post(), post()];
    expect(await failure(post())).toBe('webhook_overloaded');
    await requested;
    responses[0]!.end();
    await Promise.all(calls);
    expect(metrics.results).toEqual(['overloaded', 'ok', 'ok']);
  });

  it('does not send a call whose time is over before it has a connection', async () => {
    let requests = 0;
    const url = await http(() => requests++);
    targetOf(url, { target: { timeoutMs: 30 }, all: { maxConnectionsPerTarget: 1 } });
    expect(await Promise.all([failure(post()), failure(post())])).toEqual(Array(2).fill('webhook_timeout'));
    expect(requests).toBe(1);
  });

  it('gives up a call that waits for a connection longer than connectTimeoutMs', async () => {
    targetOf(await http(() => {}), { target: { connectTimeoutMs: 20 }, all: { maxConnectionsPerTarget: 1 } });
    const running = failure(post());
    await once(server!, 'request');
    await expect(post()).rejects.toThrow('no connection to the backend in time');
    await target.close();
    expect(await running).toBe('webhooks_closed');
  });

  it('joins a body of many small chunks', async () => {
    targetOf(
      await http((_, response) => {
        for (let n = 0; n < 3_000; n++) response.write(String(n % 10));
        response.end();
      }),
    );
    expect((await post()).body.toString()).toBe('0123456789'.repeat(300));
  });

  it('refuses bodies beyond the bytes that may be pending', async () => {
    targetOf(await http(() => {}), { all: { maxPendingBytesPerTarget: BODY.length - 1 } });
    expect(await failure(post())).toBe('webhook_overloaded');
  });

  it('refuses connections beyond the limit for all targets', async () => {
    targetOf(await http(() => {}), { all: { maxConnections: 1 }, target: { timeoutMs: 200 } });
    const results = await Promise.all([failure(post()), failure(post())]);
    expect(results).toEqual(['webhook_timeout', 'webhook_overloaded']);
    expect(metrics.results).toEqual(['overloaded', 'timeout']);
  });

  it('is suspended while most calls fail, and tries again', async () => {
    jest.spyOn(Logger.prototype, 'error').mockReturnValue();
    jest.spyOn(Logger.prototype, 'log').mockReturnValue();
    let status = 503;
    let requests = 0;
    const url = await http((_, response) => {
      requests++;
      response.writeHead(status).end();
    });
    targetOf(url, { all: { breaker: { minimumCalls: 4, openMs: 100 } } });
    for (let call = 0; call < 4; call++) expect((await post()).status).toBe(503);
    expect(metrics.isSuspended).toBe(true);
    expect(await failure(post())).toBe('webhook_suspended');
    expect(requests).toBe(4);
    status = 200;
    let answered = 'webhook_suspended';
    while (answered === 'webhook_suspended') {
      await new Promise((resolve) => setImmediate(resolve));
      answered = await failure(post());
    }
    expect([answered, requests, metrics.isSuspended]).toEqual(['no failure', 5, false]);
  });

  it('is not suspended by failures of the backend that are answers', async () => {
    targetOf(await http((_, response) => response.writeHead(500).end()), {
      all: { breaker: { minimumCalls: 1 } },
    });
    for (let call = 0; call < 5; call++) expect((await post()).status).toBe(500);
    expect(metrics.isSuspended).toBe(false);
  });

  it('fails the calls that run when it is closed, and every later one', async () => {
    targetOf(await http(() => {}), { all: { maxConnectionsPerTarget: 1 } });
    const calls = [failure(post()), failure(post())];
    await once(server!, 'request');
    await target.close();
    expect([...(await Promise.all(calls)), await failure(post())]).toEqual(Array(3).fill('webhooks_closed'));
    expect(metrics.results).toEqual(Array(3).fill('closed'));
  });
});
