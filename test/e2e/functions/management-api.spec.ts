/** The management API of AWS, over its own client library, on one process and on two replicas over Redis. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ApiGatewayManagementApiClient as Client,
  DeleteConnectionCommand,
  ForbiddenException,
  GetConnectionCommand,
  GoneException,
  PayloadTooLargeException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { WebSocket } from 'ws';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';
import { FunctionBackend } from '../../support/function-backend.js';
import { Server } from '../../support/server.js';

const API_KEY = 'a-key-for-the-tests-0123';
const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const next = { accessKeyId: 'AKIDNEXT', secretAccessKey: 'another-secret-access-key' };
const MAX_MESSAGE_BYTES = 131_072;

let backend: FunctionBackend;
let directory: string;
const servers: Server[] = [];
const sockets: WebSocket[] = [];
const clients: Client[] = [];

async function startAll(count: number, bus: object, env: Record<string, string>): Promise<void> {
  backend = await FunctionBackend.start();
  directory = mkdtempSync(join(tmpdir(), 'carillon-management-'));
  const accessKeys = [credentials, next].map((each) => ({
    id: each.accessKeyId,
    secret: each.secretAccessKey,
  }));
  const config = {
    ...bus,
    gateway: { functions: { routes: { chat: backend.route('/chat') }, management: { accessKeys } } },
  };
  writeFileSync(join(directory, 'carillon.json'), JSON.stringify(config));
  const options = { cwd: directory, args: ['--config', 'carillon.json'] };
  const started = Array.from({ length: count }, () =>
    Server.start({ ...options, env: { CARILLON_API_KEY: API_KEY, ...env } }),
  );
  servers.push(...(await Promise.all(started)));
}

async function stopAll(): Promise<void> {
  for (const client of clients.splice(0)) client.destroy();
  for (const socket of sockets.splice(0)) socket.terminate();
  await Promise.all(servers.splice(0).map((server) => server[Symbol.asyncDispose]()));
  await backend?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}

function sdk(server: Server, path = '', given = credentials, more: object = {}): Client {
  const client = new Client({
    endpoint: `${server.url}${path}`,
    region: 'eu-central-1',
    credentials: given,
    maxAttempts: 1,
    ...more,
  });
  clients.push(client);
  return client;
}

interface Connected {
  readonly socket: WebSocket;
  readonly id: string;
  readonly received: (
    count: number,
  ) => Promise<readonly { readonly data: Buffer; readonly isBinary: boolean }[]>;
}

async function connect(server: Server): Promise<Connected> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/chat`, {
    headers: { 'user-agent': 'the-client' },
  });
  sockets.push(socket);
  const messages: { data: Buffer; isBinary: boolean }[] = [];
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => messages.push({ data: data as Buffer, isBinary }));
  const [response] = (await once(socket, 'upgrade')) as [IncomingMessage];
  if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
  const received = async (count: number) => {
    while (messages.length < count) await once(socket, 'message');
    return messages;
  };
  return { socket, id: String(response.headers['carillon-connection-id']), received };
}

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

/** Sends the path as it is given, which `fetch` would not. */
async function call(
  method: string,
  path: string,
  {
    key = API_KEY,
    headers = {},
    body,
  }: { key?: string | null; headers?: object; body?: string | Buffer } = {},
): Promise<Answer> {
  const sent = request({
    host: '127.0.0.1',
    port: servers[0]!.port,
    method,
    path,
    headers: { ...(key === null ? {} : { 'x-api-key': key }), ...headers },
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const type = response.headers['x-amzn-errortype'] as string | undefined;
  return { status: response.statusCode, type, body: Buffer.concat(chunks).toString() };
}

describe("AWS's client library", () => {
  beforeAll(() => startAll(1, {}, {}));
  afterAll(stopAll);

  it.each(['', '/prod'])('posts to, reads and deletes a connection below "%s"', async (path) => {
    const [server] = servers as [Server];
    const { id, socket, received } = await connect(server);
    const client = sdk(server, path);
    await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: 'grüße' }));
    await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: Buffer.from([0xff, 0, 1]) }));
    await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: '' }));
    expect(await received(3)).toEqual([
      { data: Buffer.from('grüße'), isBinary: false },
      { data: Buffer.from([0xff, 0, 1]), isBinary: true },
      { data: Buffer.alloc(0), isBinary: false },
    ]);
    const status = await client.send(new GetConnectionCommand({ ConnectionId: id }));
    expect(status).toMatchObject({ Identity: { SourceIp: '127.0.0.1', UserAgent: 'the-client' } });
    expect(status.LastActiveAt!.getTime()).toBeGreaterThanOrEqual(status.ConnectedAt!.getTime());
    const closed = once(socket, 'close');
    const deleted = await client.send(new DeleteConnectionCommand({ ConnectionId: id }));
    expect(deleted.$metadata.httpStatusCode).toBe(204);
    expect((await closed)[0]).toBe(1000);
    for (const Command of [GetConnectionCommand, DeleteConnectionCommand])
      await expect(client.send(new Command({ ConnectionId: id }))).rejects.toThrow(GoneException);
    await expect(
      client.send(new PostToConnectionCommand({ ConnectionId: id, Data: 'late' })),
    ).rejects.toThrow(GoneException);
  });

  it('posts up to 128 KB', async () => {
    const [server] = servers as [Server];
    const { id, received } = await connect(server);
    const client = sdk(server);
    const Data = Buffer.alloc(MAX_MESSAGE_BYTES, 'a');
    await client.send(new PostToConnectionCommand({ ConnectionId: id, Data }));
    expect((await received(1))[0]?.data.equals(Data)).toBe(true);
    const larger = Buffer.alloc(MAX_MESSAGE_BYTES + 1, 'a');
    await expect(
      client.send(new PostToConnectionCommand({ ConnectionId: id, Data: larger })),
    ).rejects.toThrow(PayloadTooLargeException);
  });

  it('is admitted with each of the access keys, and with no other', async () => {
    const [server] = servers as [Server];
    const { id } = await connect(server);
    const get = new GetConnectionCommand({ ConnectionId: id });
    await sdk(server, '', next).send(get);
    const wrong = [
      { ...credentials, secretAccessKey: next.secretAccessKey },
      { ...credentials, accessKeyId: 'AKIDUNKNOWN' },
    ];
    for (const each of wrong)
      await expect(sdk(server, '', each).send(get)).rejects.toThrow(ForbiddenException);
    await expect(sdk(server, '', credentials, { systemClockOffset: -600_000 }).send(get)).rejects.toThrow(
      ForbiddenException,
    );
  });
});

describe('/@connections', () => {
  beforeAll(() => startAll(1, {}, {}));
  afterAll(stopAll);

  it.each(['/@connections/', '/%40connections/', '/prod/@connections/', '/prod/%40connections/'])(
    'is served at %s',
    async (path) => {
      const { id, received } = await connect(servers[0]!);
      expect(await call('POST', `${path}${id}`, { body: 'hello' })).toEqual({
        status: 200,
        type: undefined,
        body: '',
      });
      expect((await received(1))[0]?.data.toString()).toBe('hello');
      expect(await call('GET', `${path}${id}`)).toMatchObject({ status: 200 });
      expect(await call('DELETE', `${path}${id}`)).toMatchObject({ status: 204 });
    },
  );

  it.each(['L0SM9cOFvHcCIhw=', 'L0SM9cOFvHcCIhw%3D', 'L0SM9cOFvHcCIhw%253D', 'a'.repeat(128)])(
    'responds 410 for the id %s, which could be that of a connection',
    async (id) => {
      for (const method of ['POST', 'GET', 'DELETE'])
        expect(await call(method, `/@connections/${id}`)).toMatchObject({
          status: 410,
          type: 'GoneException',
          body: expect.stringContaining('"code":"connection_gone"'),
        });
    },
  );

  it.each(['a%20b', 'a%2520b', '%25', 'a'.repeat(129), '===', 'x%00'])(
    'responds 400 for %s, which cannot be an id',
    async (id) => {
      expect(await call('GET', `/@connections/${id}`)).toMatchObject({
        status: 400,
        type: 'BadRequestException',
      });
    },
  );

  it.each([
    ['no credentials', {}],
    ['a wrong API key', { 'x-api-key': 'another-key-for-the-tests' }],
    ['an Authorization header that is no signature', { authorization: 'AWS4-HMAC-SHA256 x' }],
    [
      'a signature for another service',
      {
        'x-amz-date': '20300101T000000Z',
        authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20300101/eu-central-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
      },
    ],
  ])('responds 403 for %s', async (_what, headers) => {
    const { id } = await connect(servers[0]!);
    expect(await call('POST', `/@connections/${id}`, { key: null, headers, body: 'x' })).toMatchObject({
      status: 403,
      type: 'ForbiddenException',
    });
  });

  it('responds 403 if the body or the path is not the one that was signed', async () => {
    const [server] = servers as [Server];
    const { id } = await connect(server);
    const signed = Promise.withResolvers<Record<string, string>>();
    const client = sdk(server, '', credentials, {
      requestHandler: {
        handle: ({ headers }: { headers: Record<string, string> }) => {
          signed.resolve(headers);
          return Promise.reject(new Error('not sent'));
        },
        destroy: () => {},
      },
    });
    await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: 'hello' })).catch(() => {});
    const headers = await signed.promise;
    const sent = { key: null, headers, body: 'hello' };
    const forbidden = { status: 403, type: 'ForbiddenException' };
    const paths = [`/%40connections/${id}`, `/@connections/${id}`];
    const answers = new Set<number | undefined>();
    for (const path of paths) answers.add((await call('POST', path, sent)).status);
    expect(answers).toEqual(new Set([200, 403]));
    for (const path of paths)
      expect(await call('POST', path, { ...sent, body: 'jello' })).toMatchObject(forbidden);
    expect(await call('POST', `/@connections/${'0'.repeat(id.length)}`, sent)).toMatchObject(forbidden);
    const { host: _host, ...withoutHost } = headers;
    expect(
      await call('POST', paths[0]!, { ...sent, headers: { ...withoutHost, host: 'localhost' } }),
    ).toMatchObject(forbidden);
  });

  it('responds 405 for other methods', async () => {
    expect(await call('PUT', '/@connections/abc')).toMatchObject({ status: 405 });
  });
});

describeWithOwn('redis', "AWS's client library on two replicas", () => {
  let redis: RunningBroker;

  beforeAll(async () => {
    redis = await startRedis();
    await startAll(2, { bus: { instant: { driver: 'redis' } } }, { REDIS_URL: redis.url });
  });

  afterAll(async () => {
    await stopAll();
    await redis?.dispose();
  });

  it('posts to, reads and deletes a connection of the other one', async () => {
    const [first, second] = servers as [Server, Server];
    const { id, socket, received } = await connect(first);
    const client = sdk(second);
    const Data = Buffer.alloc(MAX_MESSAGE_BYTES, 'a');
    await client.send(new PostToConnectionCommand({ ConnectionId: id, Data }));
    expect((await received(1))[0]?.data.equals(Data)).toBe(true);
    expect(await client.send(new GetConnectionCommand({ ConnectionId: id }))).toMatchObject({
      Identity: { SourceIp: '127.0.0.1', UserAgent: 'the-client' },
    });
    const closed = once(socket, 'close');
    await client.send(new DeleteConnectionCommand({ ConnectionId: id }));
    await closed;
    await expect(client.send(new GetConnectionCommand({ ConnectionId: id }))).rejects.toThrow(GoneException);
  });
});
