/** An application embeds the server, and its own providers decide about clients of the real JavaScript client library. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import {
  Centrifuge as JsonCentrifuge,
  type Centrifuge,
  type Options,
  type PublicationContext,
} from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { WebSocket } from 'ws';
import { Connections } from '../../../src/gateway/connection/connections.js';
import {
  abstained,
  Authorizer,
  refused,
  type ConnectAttempt,
  type ConnectDecision,
  type PublishAttempt,
  type PublishDecision,
  type RefreshAttempt,
  type RefreshDecision,
  type RpcAttempt,
  type RpcDecision,
  type SubRefreshAttempt,
  type SubRefreshDecision,
  type SubscribeAttempt,
  type SubscribeDecision,
} from '../../../src/gateway/index.js';
import { ProtocolClient } from '../../support/protocol-client.js';
import { CentrifugoApp, sign, unixNow } from '../../support/centrifugo-app.js';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const never = new Promise<never>(() => {});

/** A service of the application. */
@Injectable()
class Directory {
  readonly #users = new Map([['key-of-vip', 'vip']]);

  async userOf(key: string | undefined): Promise<string | undefined> {
    return this.#users.get(key ?? '');
  }
}

/** Decides about clients with a key, and leaves the others to the next authorizer. */
@Injectable()
class KeyAuthorizer extends Authorizer {
  constructor(private readonly directory: Directory) {
    super();
  }

  override connect({ client, data }: ConnectAttempt): ConnectDecision | Promise<ConnectDecision> {
    const { 'x-key': key, 'x-mood': mood } = client.headers;
    if (mood === 'hanging') return never;
    if (mood === 'throwing') throw new Error('the directory is broken');
    return key === undefined ? abstained : this.#identify(key, client.query, data);
  }

  async #identify(key: string, query: string, data: Buffer | undefined): Promise<ConnectDecision> {
    const user = await this.directory.userOf(key);
    if (user === undefined) return { outcome: 'disconnect', code: 4501, reason: 'unknown key' };
    return {
      outcome: 'allowed',
      user,
      info: json({ name: 'V.' }),
      data: json({ welcome: user, query, sent: data?.toString() }),
      meta: json({ key }),
      channels: new Map([['chat:lobby', { data: json({ lobby: true }), override: { presence: false } }]]),
    };
  }

  override subscribe({ user, channel, atConnect, data }: SubscribeAttempt): SubscribeDecision {
    if (user !== 'vip') return abstained;
    if (channel.endsWith('closed')) return { outcome: 'error', code: 1403, message: 'closed for you' };
    return {
      outcome: 'allowed',
      data: json({ atConnect, sent: data?.toString() }),
      info: json('in channel'),
      expireAt: unixNow() + 3600,
    };
  }

  override async publish({ user, data, isSubscribed }: PublishAttempt): Promise<PublishDecision> {
    if (user !== 'vip') return abstained;
    if (data.includes('spam')) return refused('permissionDenied');
    return { outcome: 'allowed', data: json({ isSubscribed, was: data.toString() }), tags: { by: 'vip' } };
  }

  override refresh({ token }: RefreshAttempt): RefreshDecision {
    return token === 'new' ? { outcome: 'allowed', expireAt: unixNow() + 7200 } : refused('tokenExpired');
  }

  override subRefresh({ token }: SubRefreshAttempt): SubRefreshDecision {
    return token === 'new' ? { outcome: 'allowed', expireAt: unixNow() + 7200 } : refused('tokenExpired');
  }

  override rpc({ user, method, data, meta, client }: RpcAttempt): RpcDecision | Promise<RpcDecision> {
    switch (method) {
      case 'context': {
        const { headers, protocol, encoding, transport, address } = client;
        const context = { headers, protocol, encoding, transport, address };
        return {
          outcome: 'allowed',
          data: json({ user, meta: meta?.toString(), sent: data?.toString(), ...context }),
        };
      }
      case 'nothing':
        return { outcome: 'allowed' };
      case 'hang':
        return never;
      case 'throw':
        return Promise.reject(new Error('a defect'));
      default:
        return abstained;
    }
  }
}

@Module({ providers: [Directory, KeyAuthorizer], exports: [KeyAuthorizer] })
class ApplicationModule {}

const embedded = { imports: [ApplicationModule], authorizers: [KeyAuthorizer] };
const settings = {
  'gateway.forwardedHeaders': 'X-Key,x-mood',
  'gateway.authorizerTimeoutMs': 100,
};

const clients: Centrifuge[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

function createClient(
  app: CentrifugoApp,
  headers: Record<string, string> = {},
  options: Partial<Options> = {},
  Client: typeof JsonCentrifuge = JsonCentrifuge,
): Centrifuge {
  const websocket = class extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols, { headers });
    }
  };
  const client = new Client(`${app.socketUrl}?page=1`, { websocket, minReconnectDelay: 10, ...options });
  clients.push(client);
  return client;
}

function next<Context>(
  emitter: { once(event: string, listener: (context: Context) => void): unknown },
  event: string,
) {
  return new Promise<Context>((resolve) => emitter.once(event, resolve));
}

describe.each([
  ['json', JsonCentrifuge],
  ['protobuf', ProtobufCentrifuge as unknown as typeof JsonCentrifuge],
] as const)('an authorizer of the application that precedes the default, in %s', (encoding, Client) => {
  const given = (value: unknown): unknown => (encoding === 'json' ? value : new Uint8Array(json(value)));
  const read = (data: unknown): unknown =>
    encoding === 'json' ? data : JSON.parse(Buffer.from(data as Uint8Array).toString());
  const start = () => CentrifugoApp.start('config-main.json', settings, embedded);

  it('decides about connect, with user, data, channels and what later decisions receive', async () => {
    await using app = await start();
    const headers = { 'X-KEY': 'key-of-vip', 'x-other': 'not forwarded' };
    const client = createClient(app, headers, { data: given({ a: 1 }) as never }, Client);
    const connected = next<{ data: unknown }>(client, 'connected');
    const subscribed = next<{ channel: string; data: unknown }>(client, 'subscribed');
    client.connect();
    expect(read((await connected).data)).toEqual({ welcome: 'vip', query: 'page=1', sent: '{"a":1}' });
    const { channel, data } = await subscribed;
    expect([channel, read(data)]).toEqual(['chat:lobby', { lobby: true }]);
    expect(await app.api('presence_stats', { channel: 'chat:lobby' })).toEqual({
      num_clients: 0,
      num_users: 0,
    });
    const { data: context } = await client.rpc('context', given({ b: 2 }));
    expect(read(context)).toEqual({
      user: 'vip',
      meta: '{"key":"key-of-vip"}',
      sent: '{"b":2}',
      headers: { 'x-key': 'key-of-vip' },
      protocol: 'centrifugo',
      encoding,
      transport: 'websocket',
      address: '127.0.0.1',
    });
    expect((await client.rpc('nothing', undefined)).data ?? undefined).toEqual(
      encoding === 'json' ? undefined : new Uint8Array(),
    );
  });

  it('decides about subscribe and publish', async () => {
    await using app = await start();
    const client = createClient(app, { 'x-key': 'key-of-vip' }, {}, Client);
    client.connect();
    await client.ready();
    const subscription = client.newSubscription('tok:secret', { data: given({ c: 3 }) as never });
    const subscribed = next<{ data: unknown }>(subscription, 'subscribed');
    const published = next<PublicationContext>(subscription, 'publication');
    subscription.subscribe();
    expect(read((await subscribed).data)).toEqual({ atConnect: false, sent: '{"c":3}' });
    await subscription.publish(given('hello'));
    const { data, tags, info } = await published;
    expect(read(data)).toEqual({ isSubscribed: true, was: '"hello"' });
    expect(tags).toEqual({ by: 'vip' });
    expect([info?.user, read(info?.connInfo), read(info?.chanInfo)]).toEqual([
      'vip',
      { name: 'V.' },
      'in channel',
    ]);
    await expect(subscription.publish(given('spam'))).rejects.toMatchObject({ code: 103 });
    const closed = client.newSubscription('chat:closed');
    const ended = next<{ code: number; reason: string }>(closed, 'unsubscribed');
    closed.subscribe();
    expect(await ended).toMatchObject({ code: 1403, reason: 'closed for you' });
  });

  it('leaves other clients to the default', async () => {
    await using app = await start();
    const client = createClient(app, {}, { token: sign({ sub: 'ann' }) }, Client);
    client.connect();
    await client.ready();
    const secret = client.newSubscription('tok:secret');
    const refusal = next<{ code: number }>(secret, 'unsubscribed');
    secret.subscribe();
    expect(await refusal).toMatchObject({ code: 103 });
    const chat = client.newSubscription('chat:room');
    chat.subscribe();
    await chat.ready();
    const published = next<{ data: unknown }>(chat, 'publication');
    await chat.publish(given('hello'));
    expect(read((await published).data)).toBe('hello');
    await expect(client.rpc('unknown', given(1))).rejects.toMatchObject({ code: 108 });
    await expect(client.rpc('ns:unknown', given(1))).rejects.toMatchObject({ code: 104 });
    const nobody = createClient(app, {}, {}, Client);
    const disconnected = next<{ code: number }>(nobody, 'disconnected');
    nobody.connect();
    expect(await disconnected).toMatchObject({ code: 3501 });
  });

  it('closes a connection with a code of the application', async () => {
    await using app = await start();
    const client = createClient(app, { 'x-key': 'unknown' }, { token: sign({ sub: 'ann' }) }, Client);
    const disconnected = next<{ code: number; reason: string }>(client, 'disconnected');
    client.connect();
    expect(await disconnected).toMatchObject({ code: 4501, reason: 'unknown key' });
  });
});

describe('an authorizer that fails', () => {
  it.each(['throwing', 'hanging'])('causes error 100 and closes the connection: %s', async (mood) => {
    await using app = await CentrifugoApp.start('config-main.json', settings, embedded);
    const connections = app.app.get(Connections);
    const client = createClient(app, { 'x-mood': mood }, { token: sign({ sub: 'ann' }) });
    const error = next<{ error: { code: number } }>(client, 'error');
    client.connect();
    expect((await error).error.code).toBe(100);
    client.disconnect();
    await connections.whenEmpty();
    expect(await app.clients()).toBe(0);
  });

  it.each(['throw', 'hang'])('fails only its command: %s', async (method) => {
    await using app = await CentrifugoApp.start('config-main.json', settings, embedded);
    const client = createClient(app, { 'x-key': 'key-of-vip' });
    client.connect();
    await client.ready();
    await expect(client.rpc(method, 1)).rejects.toMatchObject({ code: 100, temporary: true });
    await expect(client.rpc('context', 1)).resolves.toMatchObject({ data: { user: 'vip' } });
  });
});

describe('an authorizer of the application that replaces the default', () => {
  it('is the only one that decides', async () => {
    await using app = await CentrifugoApp.start('config-main.json', settings, {
      ...embedded,
      replaceDefaultAuthorizers: true,
    });
    const vip = createClient(app, { 'x-key': 'key-of-vip' });
    vip.connect();
    await vip.ready();
    const ann = createClient(app, {}, { token: sign({ sub: 'ann' }) });
    const disconnected = next<{ code: number }>(ann, 'disconnected');
    ann.connect();
    expect(await disconnected).toMatchObject({ code: 3507, reason: 'permission denied' });
  });
});

describe('channels that a client names in its connect command', () => {
  it('are left to the same authorizer as those that it subscribes to later', async () => {
    await using app = await CentrifugoApp.start('config-main.json', settings, embedded);
    const client = await ProtocolClient.open(app.socketUrl, [], { headers: { 'x-key': 'key-of-vip' } });
    const subs = { 'tok:a': {}, 'chat:closed': {}, 'chat:lobby': {} };
    const reply = await client.request({ id: 1, connect: { subs } });
    const { connect } = reply as { connect: { subs: Record<string, object> } };
    expect(Object.keys(connect.subs).toSorted()).toEqual(['chat:lobby', 'tok:a']);
    expect(connect.subs['tok:a']).toMatchObject({ expires: true, data: { atConnect: true } });
    await client.close();
  });
});

describe('new tokens for a connection and a subscription', () => {
  it('are left to the authorizer of the application', async () => {
    await using app = await CentrifugoApp.start('config-main.json', settings, embedded);
    const client = await ProtocolClient.open(app.socketUrl, [], { headers: { 'x-key': 'key-of-vip' } });
    await client.request({ id: 1, connect: {} });
    await client.request({ id: 2, subscribe: { channel: 'tok:a' } });
    const expected = { expires: true, ttl: expect.closeTo(7200, -1) };
    expect(await client.request({ id: 3, refresh: { token: 'new' } })).toEqual({ id: 3, refresh: expected });
    expect(await client.request({ id: 4, sub_refresh: { channel: 'tok:a', token: 'new' } })).toEqual({
      id: 4,
      sub_refresh: expected,
    });
    expect(await client.request({ id: 5, sub_refresh: { channel: 'tok:a', token: 'old' } })).toMatchObject({
      error: { code: 109 },
    });
    client.send({ id: 6, refresh: { token: 'old' } });
    expect(await client.ended()).toMatchObject({ code: 3005 });
  });
});
