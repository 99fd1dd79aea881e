/** What backends decide over HTTP, and what they are asked, beyond the exchanges that were recorded from Centrifugo. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Centrifuge as JsonCentrifuge, type Options } from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { WebSocket } from 'ws';
import { CentrifugoApp, sign, unixNow } from '../../support/centrifugo-app.js';
import { ProtocolClient } from '../../support/protocol-client.js';
import { ProxyBackend } from '../../support/proxy-backend.js';

const steps = ['connect', 'refresh', 'subscribe', 'publish', 'subRefresh', 'rpc'] as const;

let backend: ProxyBackend;
let app: CentrifugoApp;
const clients: { disconnect(): void }[] = [];

/** Starts a server whose proxies call the backend of the test, at the path of their step. */
function start(settings: Readonly<Record<string, string | number>> = {}): Promise<CentrifugoApp> {
  const own = steps.flatMap((step) => [
    [`gateway.client.proxies.${step}.endpoint`, `${backend.url}/${step}`],
    // The test answers, and the machine may be busy.
    [`gateway.client.proxies.${step}.timeoutMs`, 60_000],
  ]);
  return CentrifugoApp.start('config-proxy.json', { ...Object.fromEntries(own), ...settings });
}

beforeAll(async () => {
  backend = await ProxyBackend.start();
  const named = [{ name: 'other', endpoint: `${backend.url}/other`, staticHeaders: { 'X-Static': 'yes' } }];
  const namespaces = [
    { name: 'px', subscribeProxyEnabled: true, publishProxyEnabled: true },
    { name: 'pxr', subscribeProxyEnabled: true, subRefreshProxyEnabled: true },
    { name: 'named', subscribeProxyEnabled: true, subscribeProxyName: 'other' },
  ];
  app = await start({
    'gateway.client.proxies.named': JSON.stringify(named),
    'gateway.client.proxies.rpcNamespaces': JSON.stringify([
      { name: 'math', proxyEnabled: true, proxyName: 'other' },
    ]),
    'gateway.client.proxies.connect.emulatedHeaders': 'X-Token,Host',
    'gateway.client.proxies.connect.httpHeaders': 'X-Trace,Host,Content-Length',
    'gateway.client.proxies.rpc.binaryEncoding': 'true',
    'delivery.channels.namespaces': JSON.stringify(namespaces),
  });
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await backend[Symbol.asyncDispose]();
});

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
  if (backend.waiting > 0) throw new Error('the backend was asked more than the test expects');
});

async function connected(
  result: object = { user: 'ann' },
  options: Partial<Options> = {},
  Client: typeof JsonCentrifuge = JsonCentrifuge,
) {
  const client = new Client(app.socketUrl, { websocket: WebSocket, ...options });
  clients.push(client);
  client.connect();
  const call = await backend.answer({ result });
  await client.ready();
  return { client, call };
}

const requestOf = ({ body }: { readonly body: string }) => JSON.parse(body) as Record<string, unknown>;

describe('The headers of a request', () => {
  it('are those that the proxy forwards, without those that belong to a connection', async () => {
    class Traced extends WebSocket {
      constructor(url: string, protocols?: string | string[]) {
        super(url, protocols, { headers: { 'X-Trace': 't1', 'X-Other': 'no' } });
      }
    }
    const headers = { 'X-Token': 'grün', Host: 'evil', 'X-Trace': 'forged', Cookie: 'forged' };
    const { call } = await connected({ user: 'ann' }, { websocket: Traced, headers });
    const { 'x-trace': trace, 'x-token': token, 'x-other': other, cookie, host } = call.headers;
    expect([trace, other, cookie]).toEqual(['t1', undefined, undefined]);
    expect(Buffer.from(String(token), 'latin1').toString()).toBe('grün');
    expect(host).toBe(new URL(backend.url).host);
  });

  it('cannot be forged with a line break', async () => {
    const client = await ProtocolClient.open(app.socketUrl);
    client.send({ id: 1, connect: { headers: { 'x-token': 'a\r\nX-Other: forged' } } });
    expect(await client.ended()).toEqual({ code: 3501, reason: 'bad request' });
  });
});

describe('A named proxy', () => {
  it('decides about the channels and methods that name it', async () => {
    const { client } = await connected();
    const subscription = client.newSubscription('named:x');
    subscription.subscribe();
    const { path, headers } = await backend.answer({});
    expect([path, headers['x-static']]).toEqual(['/other', 'yes']);
    await subscription.ready();
    const reply = client.rpc('math:sum', [1, 2]);
    expect((await backend.answer({ result: { data: 3 } })).path).toBe('/other');
    expect((await reply).data).toBe(3);
  });
});

describe('The data of a client', () => {
  it('that are not JSON are refused without a call, unless the proxy has a binary encoding', async () => {
    const { client } = await connected(
      { user: 'ann' },
      {},
      ProtobufCentrifuge as unknown as typeof JsonCentrifuge,
    );
    // Would end the member of the data and add another one.
    const forged = new Uint8Array(Buffer.from('1,"user":"admin"'));
    await expect(client.publish('px:x', forged)).rejects.toMatchObject({ code: 107 });
    const reply = client.rpc('m', forged);
    const call = await backend.answer({ result: { b64data: Buffer.from([0xff]).toString('base64') } });
    expect(requestOf(call)).toMatchObject({
      user: 'ann',
      protocol: 'protobuf',
      encoding: 'binary',
      b64data: Buffer.from(forged).toString('base64'),
    });
    expect((await reply).data).toEqual(new Uint8Array([0xff]));
  });

  it('pass through byte for byte, and null in an answer counts as absent', async () => {
    const { client } = await connected({ user: 'ann', info: null, data: null, meta: null });
    const subscription = client.newSubscription('px:x', { data: { a: 1.5, b: 'é' } });
    subscription.subscribe();
    expect(requestOf(await backend.answer({ result: null }))['data']).toEqual({ a: 1.5, b: 'é' });
    await subscription.ready();
    const published = new Promise<{ data: unknown }>((resolve) => subscription.once('publication', resolve));
    const done = client.publish('px:x', { n: 1 });
    await backend.answer({ result: { data: null, tags: null } });
    await done;
    expect((await published).data).toEqual({ n: 1 });
  });
});

describe('A token', () => {
  it('is verified here, and the backend is not asked', async () => {
    const client = await ProtocolClient.open(app.socketUrl);
    const token = sign({ sub: 'bob' });
    expect(await client.request({ id: 1, connect: { token } })).toMatchObject({ connect: { pong: true } });
    const channelToken = sign({ sub: 'bob', channel: 'px:x' });
    const reply = await client.request({ id: 2, subscribe: { channel: 'px:x', token: channelToken } });
    expect(reply).toMatchObject({ id: 2, subscribe: {} });
    await client.close();
  });
});

describe('A connect command', () => {
  it('that names a channel of a backend is answered without it, and the backend is not asked about it', async () => {
    const client = await ProtocolClient.open(app.socketUrl);
    client.send({ id: 1, connect: { subs: { 'px:x': {} } } });
    const call = await backend.answer({ result: { user: 'ann', subs: { 'px:y': { info: { a: 1 } } } } });
    expect(requestOf(call)['channels']).toEqual(['px:x']);
    expect(await client.nextObject()).toMatchObject({ connect: { subs: { 'px:y': {} } } });
    await client.close();
  });
});

describe('A subscription that a backend renews', () => {
  /** Subscribes with an expiry that has nearly come. The client is not told about it. */
  async function subscribed(): Promise<ProtocolClient> {
    const client = await ProtocolClient.open(app.socketUrl);
    client.send({ id: 1, connect: {} });
    await backend.answer({ result: { user: 'ann' } });
    await client.next();
    client.send({ id: 2, subscribe: { channel: 'pxr:x' } });
    await backend.answer(() => ({ result: { expire_at: unixNow() + 2, info: { n: 1 } } }));
    expect(await client.nextObject()).toEqual({ id: 2, subscribe: {} });
    return client;
  }
  const ended = { unsubscribe: { code: 2501, reason: 'subscription expired' } };

  it('lives on until the backend says that it has expired', async () => {
    const client = await subscribed();
    const first = await backend.answer(() => ({ result: { expire_at: unixNow() + 2 } }));
    expect([first.path, requestOf(first)]).toMatchObject(['/subRefresh', { user: 'ann', channel: 'pxr:x' }]);
    await backend.answer({ result: { expired: true } });
    expect(await client.nextObject()).toEqual({ push: { channel: 'pxr:x', ...ended } });
    await client.close();
  });

  it('ends without a result, and closes the connection if the backend says so', async () => {
    const client = await subscribed();
    await backend.answer({});
    expect(await client.nextObject()).toEqual({ push: { channel: 'pxr:x', ...ended } });
    await client.close();
    const other = await subscribed();
    await backend.answer({ disconnect: { code: 4500, reason: 'bye' } });
    expect(await other.ended()).toEqual({ code: 4500, reason: 'bye' });
  });

  it('lives on while the backend cannot be asked, and is not refreshed by the client', async () => {
    const client = await subscribed();
    (await backend.next()).answer(500, '');
    client.send({ id: 3, sub_refresh: { channel: 'pxr:x', token: sign({ sub: 'ann', channel: 'pxr:x' }) } });
    expect(await client.ended()).toEqual({ code: 3501, reason: 'bad request' });
  });
});

describe('The callback service of another server', () => {
  it('can be the backend', async () => {
    await using service = await CentrifugoApp.start('config-main.json', {
      'callbacks.enabled': true,
      'callbacks.insecure': true,
      'delivery.channels.withoutNamespace.allowPublishForClient': true,
    });
    const endpoints = ['connect', 'subscribe', 'publish'].map((step) => [
      `gateway.client.proxies.${step}.endpoint`,
      `${service.url}/centrifugo/${step}`,
    ]);
    const proxied = ['subscribe', 'publish'].map((step) => [
      `delivery.channels.withoutNamespace.${step}ProxyEnabled`,
      'true',
    ]);
    await using edge = await start(Object.fromEntries([...endpoints, ...proxied]));
    const client = new JsonCentrifuge(edge.socketUrl, {
      websocket: WebSocket,
      data: { token: sign({ sub: 'ann' }) },
    });
    clients.push(client);
    client.connect();
    await client.ready();
    const subscription = client.newSubscription('room');
    subscription.subscribe();
    await subscription.ready();
    const published = new Promise<{ data: unknown; info?: { user: string } }>((resolve) =>
      subscription.once('publication', resolve),
    );
    await subscription.publish({ n: 1 });
    const { data, info } = await published;
    expect([data, info?.user]).toEqual([{ n: 1 }, 'ann']);
  });
});

describe('A connection that a backend renews', () => {
  it('is told nothing, gets the new meta, and is closed with the code of the backend', async () => {
    const client = await ProtocolClient.open(app.socketUrl);
    client.send({ id: 1, connect: {} });
    await backend.answer(() => ({ result: { user: 'ann', expire_at: unixNow() + 2, meta: { m: 1 } } }));
    expect((await client.nextObject())['connect']).not.toHaveProperty('ttl');
    expect(
      requestOf(await backend.answer(() => ({ result: { expire_at: unixNow() + 2, meta: { m: 2 } } }))),
    ).toEqual({
      client: expect.any(String),
      transport: 'websocket',
      protocol: 'json',
      encoding: 'json',
      user: 'ann',
      meta: { m: 1 },
    });
    const last = await backend.answer({ disconnect: { code: 4001, reason: 'moved' } });
    expect(requestOf(last)['meta']).toEqual({ m: 2 });
    expect(await client.ended()).toEqual({ code: 4001, reason: 'moved' });
  });
});
