/** Function routes of the built program, with a real HTTP backend. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { FunctionBackend } from '../../support/function-backend.js';
import { Server } from '../../support/server.js';

const API_KEY = 'a-key-for-the-tests-0123';
const SECRET = 'a-secret-of-the-chat-url';

let backend: FunctionBackend;
let server: Server;
let directory: string;
const sockets: WebSocket[] = [];

beforeAll(async () => {
  backend = await FunctionBackend.start();
  directory = mkdtempSync(join(tmpdir(), 'carillon-functions-'));
  const routes = {
    chat: backend.route('/chat', { pushSecrets: [SECRET, `${SECRET}-next`] }),
    rooms: backend.route('/rooms/:room', { respond: true, forwardedHeaders: ['X-Wanted'], stage: 'prod' }),
    narrow: backend.route('/narrow', { maxPendingMessages: 2, timeoutMs: 500 }),
  };
  writeFileSync(join(directory, 'carillon.json'), JSON.stringify({ gateway: { functions: { routes } } }));
  server = await Server.start({
    cwd: directory,
    args: ['--config', 'carillon.json'],
    env: { CARILLON_API_KEY: API_KEY },
  });
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
  backend.answer = () => ({});
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await backend[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

interface Client {
  readonly socket: WebSocket;
  readonly id: string;
  readonly received: { data: Buffer; isBinary: boolean }[];
}

function dial(path: string, subprotocols: string[] = [], headers: Record<string, string> = {}): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, subprotocols, { headers });
  sockets.push(socket);
  return socket;
}

async function connect(
  path = '/chat',
  subprotocols: string[] = [],
  headers: Record<string, string> = {},
): Promise<Client> {
  const socket = dial(path, subprotocols, headers);
  const received: Client['received'] = [];
  socket.on('message', (data, isBinary) => received.push({ data: data as Buffer, isBinary }));
  const [response] = (await once(socket, 'upgrade')) as [IncomingMessage];
  if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
  return { socket, id: String(response.headers['carillon-connection-id']), received };
}

async function refusal(path: string): Promise<[number | undefined, string]> {
  const socket = dial(path);
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { error } = JSON.parse(Buffer.concat(chunks).toString()) as { error: { code: string } };
  return [response.statusCode, error.code];
}

async function push(websocket: object, path = '/push', key: string | null = API_KEY) {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === null ? {} : { 'x-api-key': key }) },
    body: JSON.stringify({ websocket }),
  });
  return { status: response.status, body: (await response.json()) as { errNo?: number } };
}

const text = (id: string, data: string) => ({
  action: 'data send',
  secConnectionID: id,
  dataType: 'text',
  data,
});

async function connections(
  query = '',
): Promise<{ total: number; connections: { id: string; route: string }[] }> {
  const response = await fetch(`${server.url}/connections${query}`, { headers: { 'x-api-key': API_KEY } });
  return (await response.json()) as { total: number; connections: { id: string; route: string }[] };
}

describe('register', () => {
  it('receives who connects, and chooses the subprotocol among those offered', async () => {
    backend.answer = ({ step, id }) =>
      step === 'register'
        ? {
            body: {
              errNo: 0,
              errMsg: 'ok',
              websocket: { action: 'connecting', secConnectionID: id, secWebSocketProtocol: 'two' },
            },
          }
        : {};
    const { socket, id } = await connect('/rooms/a%2Fb?x=1&y=%C3%BC', ['one', 'two'], {
      'x-wanted': 'w',
      'x-other': 'o',
    });
    expect(socket.protocol).toBe('two');
    const [call] = await backend.called('register', 1, id);
    expect(call?.event).toMatchObject({
      requestContext: {
        serviceName: 'carillon',
        path: '/rooms/a%2Fb',
        httpMethod: 'GET',
        requestId: id,
        sourceIp: '127.0.0.1',
        stage: 'prod',
        websocketEnable: true,
      },
      pathParameters: { room: 'a/b' },
      queryString: { x: '1', y: 'ü' },
      headers: { 'x-wanted': 'w' },
      websocket: {
        action: 'connecting',
        secConnectionID: id,
        secWebSocketProtocol: 'one,two',
        secWebSocketExtensions: expect.any(String),
      },
    });
    expect(call?.event.headers).not.toHaveProperty('x-other');
  });

  it('grants no subprotocol that the backend does not choose', async () => {
    const socket = dial('/chat', ['one']);
    socket.on('error', () => {});
    const [response] = (await once(socket, 'upgrade')) as [IncomingMessage];
    expect(response.headers).not.toHaveProperty('sec-websocket-protocol');
  });

  it.each([
    ['refuses', { body: { errNo: 7, errMsg: 'go away' } }, 403, 'backend_refused'],
    ['fails', { status: 500 }, 502, 'backend_failed'],
    ['answers with a redirect', { status: 302 }, 502, 'backend_failed'],
    ['answers rubbish', { body: 'rubbish' }, 502, 'backend_failed'],
    ['answers without errNo', { body: {} }, 502, 'backend_failed'],
    [
      'answers about another connection',
      { body: { errNo: 0, websocket: { action: 'connecting', secConnectionID: 'other' } } },
      502,
      'backend_failed',
    ],
  ])('decides before the WebSocket opens: it %s', async (_what, answer, status, code) => {
    backend.answer = ({ step }) => (step === 'register' ? answer : {});
    expect(await refusal('/chat')).toEqual([status, code]);
    expect((await connections()).total).toBe(0);
  });

  it('refuses the choice of a subprotocol that was not offered', async () => {
    backend.answer = ({ id }) => ({
      body: {
        errNo: 0,
        websocket: { action: 'connecting', secConnectionID: id, secWebSocketProtocol: 'mine' },
      },
    });
    expect(await refusal('/chat')).toEqual([502, 'backend_failed']);
  });

  it('refuses a client whose backend is too slow, and cleans up, because it may have registered the client', async () => {
    const held = Promise.withResolvers<object>();
    backend.answer = ({ step }) => (step === 'register' ? held.promise : {});
    expect(await refusal('/narrow')).toEqual([504, 'backend_timeout']);
    const [call] = backend.of('register').slice(-1);
    await backend.called('cleanup', 1, call!.id);
    held.resolve({});
  });

  it('is not followed by a cleanup if the backend refuses', async () => {
    backend.answer = ({ step }) => (step === 'register' ? { body: { errNo: 1 } } : {});
    await refusal('/chat');
    const { id } = backend.of('register').at(-1)!;
    backend.answer = () => ({});
    const other = await connect();
    other.socket.close();
    await backend.called('cleanup', 1, other.id);
    expect(backend.of('cleanup', id)).toEqual([]);
  });
});

describe('transport', () => {
  it('receives text and bytes as they were sent', async () => {
    const { socket, id } = await connect();
    const bytes = Buffer.from([0, 255, 10]);
    socket.send('ünï\n"x"');
    socket.send('');
    socket.send(bytes);
    // Valid UTF-8, but sent as binary.
    socket.send(Buffer.from('text?'));
    const calls = await backend.called('transport', 4, id);
    expect(calls.map(({ event: { websocket } }) => websocket)).toEqual([
      { action: 'data send', secConnectionID: id, dataType: 'text', data: 'ünï\n"x"' },
      { action: 'data send', secConnectionID: id, dataType: 'text', data: '' },
      { action: 'data send', secConnectionID: id, dataType: 'binary', data: bytes.toString('base64') },
      {
        action: 'data send',
        secConnectionID: id,
        dataType: 'binary',
        data: Buffer.from('text?').toString('base64'),
      },
    ]);
  });

  it('is called for one message of a client at a time, in order, while other clients go on', async () => {
    const [slow, quick] = [await connect('/narrow'), await connect('/narrow')];
    const held: PromiseWithResolvers<object>[] = [];
    backend.answer = ({ step, id }) => {
      if (step !== 'transport' || id !== slow.id) return {};
      held.push(Promise.withResolvers());
      return held.at(-1)!.promise;
    };
    for (let number = 0; number < 10; number++) slow.socket.send(`${number}`);
    for (let number = 0; number < 10; number++) quick.socket.send(`${number}`);
    await backend.called('transport', 10, quick.id);
    expect(backend.of('transport', slow.id)).toHaveLength(1);
    for (let number = 0; number < 10; number++) {
      await backend.called('transport', number + 1, slow.id);
      held[number]!.resolve({});
    }
    expect(backend.of('transport', slow.id).map(({ event }) => event.websocket.data)).toEqual(
      Array.from({ length: 10 }, (_, number) => `${number}`),
    );
  });

  it('keeps the connection when a call fails', async () => {
    const { socket, id } = await connect();
    backend.answer = () => ({ status: 500 });
    socket.send('1');
    await backend.called('transport', 1, id);
    backend.answer = () => ({});
    socket.send('2');
    await backend.called('transport', 2, id);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  it('sends the answer back where the route says so', async () => {
    backend.answer = ({ step }) => (step === 'transport' ? { body: 'pong' } : {});
    const [answered, silent] = [await connect('/rooms/a'), await connect('/chat')];
    for (const { socket } of [answered, silent]) socket.send('ping');
    while (answered.received.length === 0) await once(answered.socket, 'message');
    expect(answered.received).toEqual([{ data: Buffer.from('pong'), isBinary: false }]);
    await backend.called('transport', 1, silent.id);
    expect(silent.received).toEqual([]);
  });
});

describe('cleanup', () => {
  it.each(['closes', 'breaks off'])('is called once when the client %s, after its messages', async (how) => {
    const { socket, id } = await connect();
    const held = Promise.withResolvers<object>();
    backend.answer = ({ step }) => (step === 'transport' ? held.promise : {});
    socket.send('last words');
    await backend.called('transport', 1, id);
    if (how === 'closes') socket.close();
    else socket.terminate();
    await once(socket, 'close');
    expect(backend.of('cleanup', id)).toEqual([]);
    held.resolve({});
    const [call] = await backend.called('cleanup', 1, id);
    expect(call?.event).toEqual({ websocket: { action: 'closing', secConnectionID: id } });
    expect((await connections()).connections.map((each) => each.id)).not.toContain(id);
  });

  it('is repeated when it fails', async () => {
    const { socket, id } = await connect();
    backend.answer = ({ step }) => ({ status: step === 'cleanup' ? 500 : 200 });
    socket.close();
    await backend.called('cleanup', 1, id);
    backend.answer = () => ({});
    expect(await backend.called('cleanup', 2, id)).toHaveLength(2);
  });
});

describe('the reverse push', () => {
  it('sends text and bytes to one connection, and closes it', async () => {
    const [a, b] = [await connect(), await connect()];
    const bytes = Buffer.from([0, 255]);
    const sent = [
      text(a.id, 'ünï'),
      { ...text(a.id, bytes.toString('base64')), dataType: 'binary' },
      { action: 'data send', secConnectionID: a.id, data: '' },
    ];
    for (const each of sent)
      expect(await push(each)).toEqual({ status: 200, body: { errNo: 0, errMsg: 'ok' } });
    while (a.received.length < 3) await once(a.socket, 'message');
    expect(a.received).toEqual([
      { data: Buffer.from('ünï'), isBinary: false },
      { data: bytes, isBinary: true },
      { data: Buffer.alloc(0), isBinary: false },
    ]);
    expect(b.received).toEqual([]);
    const closed = once(a.socket, 'close');
    expect((await push({ action: 'closing', secConnectionID: a.id })).status).toBe(200);
    expect((await closed)[0]).toBe(1000);
    await backend.called('cleanup', 1, a.id);
    expect((await push(text(a.id, 'x'))).status).toBe(410);
  });

  it('reaches a connection while its register function runs', async () => {
    const statuses: number[] = [];
    backend.answer = async ({ step, id }) => {
      if (step === 'register') statuses.push((await push(text(id, 'early'))).status);
      return {};
    };
    const { socket, received } = await connect();
    while (received.length === 0) await once(socket, 'message');
    expect([statuses, received[0]?.data.toString()]).toEqual([[200], 'early']);
  });

  it.each([
    [{ action: 'data send', secConnectionID: 'unknown', data: 'x' }, 410],
    [{ action: 'closing', secConnectionID: 'unknown' }, 410],
    [{ action: 'closing' }, 400],
    [{ action: 'data send', secConnectionID: 'x' }, 400],
    [{ action: 'data send', secConnectionID: 'x', data: 5 }, 400],
    [{ action: 'data send', secConnectionID: 'x', data: 'x', dataType: 'blob' }, 400],
    [{ action: 'connecting', secConnectionID: 'x' }, 400],
    ['text', 400],
    [null, 400],
  ])('of %j is answered in JSON with %i', async (websocket, status) => {
    const answer = await push(websocket as object);
    expect([answer.status, answer.body.errNo]).toEqual([status, status]);
  });

  it('needs the API key, or the secret URL of the route', async () => {
    const { id, received, socket } = await connect();
    expect((await push(text(id, '1'), '/push', null)).status).toBe(401);
    expect((await push(text(id, '2'), '/push/chat/a-wrong-secret-0123', null)).status).toBe(404);
    expect((await push(text(id, '3'), `/push/rooms/${SECRET}`, null)).status).toBe(404);
    expect((await push(text(id, '4'), `/push/chat/${SECRET}`, null)).status).toBe(200);
    expect((await push(text(id, '5'), `/push/chat/${SECRET}-next`, null)).status).toBe(200);
    while (received.length < 2) await once(socket, 'message');
    expect(received.map(({ data }) => data.toString())).toEqual(['4', '5']);
    const other = await connect('/rooms/a');
    expect((await push(text(other.id, '6'), `/push/chat/${SECRET}`, null)).status).toBe(410);
    expect(server.output).not.toContain(SECRET);
  });
});

describe('the list of connections', () => {
  it('counts and pages them, by route', async () => {
    const clients = [await connect(), await connect(), await connect('/rooms/a')];
    const all = await connections();
    expect(all.total).toBe(3);
    expect(all.connections.map(({ id }) => id).toSorted()).toEqual(clients.map(({ id }) => id).toSorted());
    expect((await connections('?route=rooms')).connections).toMatchObject([
      { id: clients[2]!.id, route: 'rooms', sourceIp: '127.0.0.1' },
    ]);
    const first = (await connections('?limit=2')) as { next?: string } & Awaited<
      ReturnType<typeof connections>
    >;
    const second = await connections(`?limit=2&cursor=${first.next}`);
    expect([...first.connections, ...second.connections].map(({ id }) => id)).toEqual(
      all.connections.map(({ id }) => id),
    );
    const response = await fetch(`${server.url}/connections`);
    expect(response.status).toBe(401);
  });
});
