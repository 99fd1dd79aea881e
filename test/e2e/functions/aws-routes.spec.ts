/** Routes with the shape of AWS WebSocket APIs, in front of functions that were written for AWS. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { serve } from '../../../examples/aws-functions/adapter.js';
import { handler as chat } from '../../../examples/aws-functions/handler.js';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';
import { EventLog } from '../../support/event-log.js';
import { Server } from '../../support/server.js';

const API_KEY = 'a-key-for-the-tests-0123';
const TOKEN_SECRET = 'the-secret-of-the-tokens';
const credentials = { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG' };

interface AwsEvent {
  readonly type?: string;
  readonly requestContext: {
    readonly routeKey: string;
    readonly connectionId: string;
    readonly requestId: string;
    readonly authorizer?: unknown;
    readonly connectedAt: number;
    readonly domainName: string;
    readonly identity: object;
  };
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

const events = new EventLog<AwsEvent>();
let answer: (event: AwsEvent) => unknown = () => ({ statusCode: 200 });
let functions: HttpServer;
let chatFunctions: HttpServer;
let server: Server;
let directory: string;
const sockets: WebSocket[] = [];

const FRAME_BYTES = 32_768;

function sendInFrames(socket: WebSocket, text: string): void {
  for (let at = 0; at < text.length; at += FRAME_BYTES)
    socket.send(text.slice(at, at + FRAME_BYTES), { fin: at + FRAME_BYTES >= text.length });
}

const urlOf = (of: HttpServer): string => `http://127.0.0.1:${(of.address() as AddressInfo).port}`;

beforeAll(async () => {
  functions = serve(async (event: AwsEvent) => {
    events.add(event);
    return answer(event);
  });
  chatFunctions = serve(chat);
  await Promise.all([once(functions, 'listening'), once(chatFunctions, 'listening')]);
  const url = urlOf(functions);
  const aws = awsRoute();
  const chatUrl = urlOf(chatFunctions);
  const routes = {
    api: { ...aws, path: '/api-route' },
    few: { shape: 'aws', path: '/few', integrations: { say: url } },
    silent: { ...aws, path: '/silent', routeResponses: ['say'] },
    asked: {
      ...aws,
      path: '/asked',
      authorizer: { url, identitySource: 'route.request.querystring.who' },
    },
    tokens: tokensRoute(),
    small: { ...aws, path: '/small', maxMessageBytes: 1_000 },
    idle: { ...aws, path: '/idle', idleTimeoutMs: 1 },
    old: { ...aws, path: '/old', maxConnectionMs: 1 },
    rare: { ...aws, path: '/rare', newConnections: { perSecond: 0.001, burst: 1 } },
    chat: {
      shape: 'aws',
      path: '/aws-chat',
      integrations: { $connect: chatUrl, $default: chatUrl, $disconnect: chatUrl, say: chatUrl },
      routeResponses: ['$default'],
    },
  };
  directory = mkdtempSync(join(tmpdir(), 'carillon-aws-'));
  const config = { gateway: { functions: { routes, management: { accessKeys: [credentials] } } } };
  writeFileSync(join(directory, 'carillon.json'), JSON.stringify(config));
  server = await Server.start({
    cwd: directory,
    args: ['--config', 'carillon.json'],
    env: { CARILLON_API_KEY: API_KEY },
  });
});

/** A route for which one function gets all events. */
function awsRoute() {
  const keys = ['$connect', '$default', '$disconnect', 'say'];
  const integrations = Object.fromEntries(keys.map((key) => [key, urlOf(functions)]));
  return { shape: 'aws', integrations, routeResponses: ['*'] };
}

function tokensRoute() {
  return { ...awsRoute(), path: '/tokens', authorizer: { tokens: { hmacSecretKey: TOKEN_SECRET } } };
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
  answer = () => ({ statusCode: 200 });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  for (const each of [functions, chatFunctions]) {
    each.closeAllConnections();
    each.close();
    await once(each, 'close');
  }
  rmSync(directory, { recursive: true, force: true });
});

function dial(
  path: string,
  subprotocols: string[] = [],
  headers: Record<string, string> = {},
  to: Server = server,
): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${to.port}${path}`, subprotocols, { headers });
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

async function connect(
  path: string,
  subprotocols: string[] = [],
  headers: Record<string, string> = {},
  to?: Server,
) {
  const socket = dial(path, subprotocols, headers, to);
  const messages: { data: Buffer; isBinary: boolean }[] = [];
  socket.on('message', (data, isBinary) => messages.push({ data: data as Buffer, isBinary }));
  const closed = once(socket, 'close');
  const [response] = (await once(socket, 'upgrade')) as [IncomingMessage];
  if (socket.readyState === WebSocket.CONNECTING) await once(socket, 'open');
  const next = async (): Promise<string> => {
    while (messages.length === 0) await once(socket, 'message');
    return messages.shift()!.data.toString();
  };
  return { socket, closed, next, id: String(response.headers['carillon-connection-id']) };
}

async function refusal(path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const [, response] = (await once(dial(path, [], headers), 'unexpected-response')) as [
    unknown,
    IncomingMessage,
  ];
  response.resume();
  return response.statusCode;
}

const of = (id: string, routeKey: string) =>
  events.entries.filter(
    ({ type, requestContext: { connectionId, routeKey: key } }) =>
      connectionId === id && key === routeKey && type === undefined,
  );

async function eventOf(id: string, routeKey: string): Promise<AwsEvent> {
  await events.until(() => of(id, routeKey).length > 0);
  return of(id, routeKey)[0]!;
}

function token(claims: object, secret = TOKEN_SECRET): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

describe('$connect', () => {
  it('receives the event of AWS, and chooses the subprotocol', async () => {
    answer = () => ({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': 'two' } });
    const { socket, id } = await connect('/api-route?x=1&x=2&y=3', ['one', 'two'], { 'user-agent': 'me' });
    expect(socket.protocol).toBe('two');
    expect(await eventOf(id, '$connect')).toMatchObject({
      isBase64Encoded: false,
      headers: { Host: `127.0.0.1:${server.port}`, 'User-Agent': 'me', 'Sec-WebSocket-Version': '13' },
      multiValueHeaders: { 'User-Agent': ['me'] },
      queryStringParameters: { x: '2', y: '3' },
      multiValueQueryStringParameters: { x: ['1', '2'], y: ['3'] },
      requestContext: {
        routeKey: '$connect',
        eventType: 'CONNECT',
        connectionId: id,
        connectedAt: expect.any(Number),
        requestTimeEpoch: expect.any(Number),
        requestTime: expect.stringMatching(/^\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        messageDirection: 'IN',
        identity: { sourceIp: '127.0.0.1', userAgent: 'me' },
        domainName: `127.0.0.1:${server.port}`,
        stage: 'prod',
        apiId: 'carillon',
      },
    });
  });

  it.each([
    [401, { statusCode: 401 }],
    [403, { statusCode: 403 }],
    [500, { statusCode: 404 }],
    [500, { statusCode: 502 }],
    [500, { statusCode: 200, headers: { 'sec-websocket-protocol': 'not-offered' } }],
  ])('refuses a client with %d after the answer %j', async (status, given) => {
    answer = () => given;
    expect(await refusal('/api-route')).toBe(status);
  });

  it('is over before a connection can be pushed to', async () => {
    const statuses: number[] = [];
    answer = async ({ requestContext: { connectionId, routeKey } }) => {
      if (routeKey !== '$connect') return { statusCode: 200 };
      for (const method of ['POST', 'GET', 'DELETE']) {
        const response = await fetch(`${server.url}/prod/@connections/${connectionId}`, {
          method,
          headers: { 'x-api-key': API_KEY },
        });
        statuses.push(response.status);
      }
      return { statusCode: 200 };
    };
    await connect('/api-route');
    expect(statuses).toEqual([410, 410, 410]);
  });

  it('refuses with 429 when too many clients are connecting', async () => {
    await connect('/rare');
    expect(await refusal('/rare')).toBe(429);
  });
});

describe('a message', () => {
  it.each([
    ['{"action":"say","x":1}', 'say'],
    ['{"action":"other"}', '$default'],
    ['{"action":"$disconnect"}', '$default'],
    ['{"action":"$connect"}', '$default'],
    ['{"action":{}}', '$default'],
    ['[]', '$default'],
    ['not JSON', '$default'],
    ['', '$default'],
  ])('%s is for the route key %s', async (text, routeKey) => {
    answer = ({ requestContext }) => ({ statusCode: 200, body: requestContext.routeKey });
    const { socket, id, next } = await connect('/api-route');
    socket.send(text);
    expect(await next()).toBe(routeKey);
    expect(await eventOf(id, routeKey)).toMatchObject({
      body: text,
      isBase64Encoded: false,
      requestContext: { eventType: 'MESSAGE', messageId: expect.any(String), connectionId: id },
    });
  });

  it('that is binary is in base64, and its answer may be', async () => {
    answer = ({ body }) => ({ statusCode: 200, body, isBase64Encoded: true });
    const { socket, id } = await connect('/api-route');
    socket.send(Buffer.from('text'));
    const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
    expect([data.toString(), isBinary]).toEqual(['text', true]);
    expect(await eventOf(id, '$default')).toMatchObject({ body: 'dGV4dA==', isBase64Encoded: true });
  });

  it('is answered only where the route has a response', async () => {
    answer = ({ requestContext }) => ({ statusCode: 200, body: requestContext.routeKey });
    const { socket, next } = await connect('/silent');
    socket.send('to $default');
    socket.send('{"action":"say"}');
    expect(await next()).toBe('say');
  });

  it('gets an error if its function fails, and the connection stays', async () => {
    const { socket, id, next } = await connect('/api-route');
    answer = () => Promise.reject(new Error('on purpose'));
    socket.send('one');
    const failure = JSON.parse(await next()) as object;
    const { requestContext } = await eventOf(id, '$default');
    expect(failure).toEqual({
      message: 'Internal server error',
      connectionId: id,
      requestId: requestContext.requestId,
    });
    answer = () => ({ statusCode: 200, body: 'fine' });
    socket.send('two');
    expect(await next()).toBe('fine');
  });

  it('gets an error if there is no function for it', async () => {
    const { socket, id, next } = await connect('/few');
    socket.send('hello');
    expect(JSON.parse(await next())).toMatchObject({ message: 'Forbidden', connectionId: id });
  });

  it.each([
    ['/small', 1_000, 1_001],
    ['/api-route', 131_072, 131_073],
  ])('at %s may have %d bytes', async (path, accepted, tooLarge) => {
    answer = ({ body = '' }) => ({ statusCode: 200, body: String(body.length) });
    const { socket, closed, next } = await connect(path);
    sendInFrames(socket, 'a'.repeat(accepted));
    expect(await next()).toBe(String(accepted));
    sendInFrames(socket, 'a'.repeat(tooLarge));
    expect((await closed)[0]).toBe(1009);
  });
});

describe('a frame', () => {
  it('may have 32 KB', async () => {
    answer = ({ body = '' }) => ({ statusCode: 200, body: String(body.length) });
    const { socket, closed, next } = await connect('/api-route');
    for (const isBinary of [false, true]) {
      socket.send(Buffer.alloc(FRAME_BYTES, 'a'), { binary: isBinary });
      expect(Number(await next())).toBeGreaterThanOrEqual(FRAME_BYTES);
    }
    socket.send('a', { fin: false });
    socket.send('a'.repeat(FRAME_BYTES + 1), { fin: true });
    expect((await closed)[0]).toBe(1009);
  });
});

describe('$disconnect', () => {
  it('is called after an abnormal close', async () => {
    const { socket, id } = await connect('/api-route');
    socket.terminate();
    expect(await eventOf(id, '$disconnect')).toMatchObject({
      requestContext: { eventType: 'DISCONNECT', connectionId: id },
    });
  });

  it.each([
    ['/idle', 'idle'],
    ['/old', 'connection too old'],
  ])('is called after the limit of %s', async (path, reason) => {
    const { closed, id } = await connect(path);
    const [code, text] = (await closed) as [number, Buffer];
    expect([code, text.toString()]).toEqual([1001, reason]);
    await eventOf(id, '$disconnect');
  });
});

describe('an authorizer', () => {
  it('adds its context to all events of a connection', async () => {
    const policy = (Effect: string) => ({
      Statement: [{ Action: 'execute-api:Invoke', Effect, Resource: '*' }],
    });
    answer = ({ type }) =>
      type === 'REQUEST'
        ? { principalId: 'ann', policyDocument: policy('Allow'), context: { tenant: 'x' } }
        : { statusCode: 200 };
    const { socket, id } = await connect('/asked?who=ann');
    socket.send('hello');
    await eventOf(id, '$default');
    socket.terminate();
    for (const key of ['$connect', '$default', '$disconnect'])
      expect((await eventOf(id, key)).requestContext.authorizer).toEqual({ principalId: 'ann', tenant: 'x' });
    expect(await refusal('/asked')).toBe(401);
    answer = () => ({ principalId: 'ann', policyDocument: policy('Deny') });
    expect(await refusal('/asked?who=ann')).toBe(403);
    answer = () => ({ isAuthorized: false });
    expect(await refusal('/asked?who=ann')).toBe(403);
    answer = () => 'rubbish';
    expect(await refusal('/asked?who=ann')).toBe(500);
  });

  it('verifies tokens', async () => {
    const claims = { sub: 'ann', tenant: 'x' };
    const { id, socket } = await connect('/tokens', [], { authorization: `Bearer ${token(claims)}` });
    socket.terminate();
    expect((await eventOf(id, '$disconnect')).requestContext.authorizer).toEqual({
      principalId: 'ann',
      claims,
    });
    expect(await refusal('/tokens')).toBe(401);
    expect(await refusal('/tokens', { authorization: token(claims, 'another-secret') })).toBe(401);
    expect(await refusal('/tokens', { authorization: token({ ...claims, exp: 1 }) })).toBe(401);
  });
});

describeWithOwn('redis', 'Routes of AWS on two replicas', () => {
  let redis: RunningBroker;
  const replicas: Server[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    const config = {
      bus: { instant: { driver: 'redis' } },
      delivery: { registry: { leaseMs: 2_000 } },
      gateway: { functions: { routes: { tokens: tokensRoute() } } },
    };
    writeFileSync(join(directory, 'replicas.json'), JSON.stringify(config));
    const options = { cwd: directory, args: ['--config', 'replicas.json'], env: { REDIS_URL: redis.url } };
    replicas.push(...(await Promise.all([0, 1].map(() => Server.start(options)))));
  });

  afterAll(async () => {
    await Promise.all(replicas.map((each) => each[Symbol.asyncDispose]()));
    await redis?.dispose();
  });

  it('call $disconnect once, with the context of the authorizer, for a connection of one that is killed', async () => {
    const claims = { sub: 'ann', tenant: 'x' };
    const headers = { authorization: `Bearer ${token(claims)}`, 'user-agent': 'me' };
    const { id } = await connect('/tokens', [], headers, replicas[0]);
    const [{ requestContext }] = [await eventOf(id, '$connect')];
    await replicas[0]!.kill();
    const { connectedAt, domainName, identity } = requestContext;
    expect((await eventOf(id, '$disconnect')).requestContext).toMatchObject({
      eventType: 'DISCONNECT',
      authorizer: { principalId: 'ann', claims },
      connectedAt,
      domainName,
      identity,
    });
    const { id: later, socket } = await connect('/tokens', [], headers, replicas[1]);
    socket.terminate();
    await eventOf(later, '$disconnect');
    expect(of(id, '$disconnect')).toHaveLength(1);
  });
});

it('the chat of the example, written for AWS, works unchanged', async () => {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: credentials.id,
    AWS_SECRET_ACCESS_KEY: credentials.secret,
    AWS_REGION: 'eu-central-1',
  });
  const [ann, bob, carl] = await Promise.all([0, 1, 2].map(() => connect('/aws-chat')));
  ann!.socket.send('{"action":"say","text":"hello"}');
  expect(await Promise.all([bob!.next(), carl!.next()])).toEqual(['hello', 'hello']);
  bob!.socket.send('what?');
  expect(await bob!.next()).toBe('there is no action for what?');
});
