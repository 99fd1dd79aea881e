/** The callback service of a Centrifugo, in the complete server: proxy requests in, decisions out, and events in a topic. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { Buses, type BusSubscription } from '../../../src/bus/index.js';
import {
  abstained,
  Authorizer,
  refused,
  type ConnectAttempt,
  type ConnectDecision,
  type PublishAttempt,
  type PublishDecision,
  type RpcAttempt,
  type RpcDecision,
  type SubscribeAttempt,
  type SubscribeDecision,
} from '../../../src/gateway/index.js';
import { toReceivedEvent } from '../../../src/bus/consumers/event-record.js';
import { API_KEY, CentrifugoApp, sign, unixNow } from '../../support/centrifugo-app.js';
import { EventLog } from '../../support/event-log.js';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const client = { client: 'c1', transport: 'websocket', protocol: 'json', encoding: 'json' };

/** Decides about users whose names begin with `app-`. */
@Injectable()
class AppAuthorizer extends Authorizer {
  override connect({ client: { headers } }: ConnectAttempt): ConnectDecision {
    const mood = headers['x-mood'];
    if (mood === undefined) return abstained;
    if (mood === 'bad') return { outcome: 'disconnect', code: 4501, reason: 'bad mood' };
    if (mood === 'later') return refused('unavailable');
    return {
      outcome: 'allowed',
      user: 'app-1',
      expireAt: 2_000_000_000,
      info: json({ mood }),
      data: Buffer.from([0xff]),
      meta: json({ m: 1.5 }),
      channels: new Map([
        ['chat:lobby', { data: json([1]), override: { presence: false, joinLeave: true } }],
      ]),
    };
  }

  override subscribe({ user, meta, data }: SubscribeAttempt): SubscribeDecision {
    if (!user.startsWith('app-')) return abstained;
    return { outcome: 'allowed', info: meta, data, expireAt: 2_000_000_000 };
  }

  override publish({ user }: PublishAttempt): PublishDecision {
    if (!user.startsWith('app-')) return abstained;
    return {
      outcome: 'allowed',
      data: json({ replaced: true }),
      tags: { a: 'b' },
      skipHistory: true,
      version: 7,
    };
  }

  override rpc({ method, data }: RpcAttempt): RpcDecision {
    if (method === 'echo') return { outcome: 'allowed', data };
    return method === 'busy' ? { outcome: 'error', code: 1100, message: 'busy', temporary: true } : abstained;
  }
}

@Module({ providers: [AppAuthorizer], exports: [AppAuthorizer] })
class AppModule {}

let server: CentrifugoApp;
let subscription: BusSubscription;
const events = new EventLog<{ event: string; key: string | undefined; payload: unknown }>();

beforeAll(async () => {
  server = await CentrifugoApp.start(
    'config-main.json',
    {
      'callbacks.enabled': true,
      'callbacks.topic': 'events',
      'delivery.channels.withoutNamespace.allowPublishForClient': true,
      'gateway.forwardedHeaders': '["X-Mood"]',
    },
    { imports: [AppModule], authorizers: [AppAuthorizer] },
  );
  const bus = await server.app.get(Buses).shared();
  subscription = await bus.subscribe({ topics: ['events'], group: 'test' }, async (records) => {
    for (const record of records) {
      const { event, key, payload } = toReceivedEvent(record, 'memory');
      events.add({ event, key, payload });
    }
  });
});

afterAll(async () => {
  await subscription.close();
  await server[Symbol.asyncDispose]();
});

function call(step: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}/centrifugo/${step}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': API_KEY, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function answer(step: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await call(step, body, headers);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  return response.json();
}

describe('the default authorizers', () => {
  it('connect a client by the token in its data', async () => {
    const exp = unixNow() + 300;
    const token = sign({ sub: '42', exp, info: { n: 1 }, subs: { 'chat:a': { data: { d: 1 } } } });
    expect(await answer('connect', { ...client, data: { token }, name: 'js', version: '1' })).toEqual({
      result: { user: '42', expire_at: exp, info: { n: 1 }, subs: { 'chat:a': { data: { d: 1 } } } },
    });
  });

  it.each([
    ['no token', undefined, 101],
    ['data that are no object', 'hello', 101],
    ['a token of another key', { token: sign({ sub: '42' }, 'other') }, 101],
    ['a token without a user', { token: sign({}) }, 103],
    ['an expired token', { token: sign({ sub: '42', exp: 1 }) }, 109],
  ])('refuse %s', async (_what, data, code) => {
    expect(await answer('connect', { ...client, data })).toMatchObject({ error: { code } });
  });

  it('decide about channels by their options', async () => {
    const subscribe = (channel: string, user = '42') => answer('subscribe', { ...client, user, channel });
    const publish = (channel: string, user = '42') =>
      answer('publish', { ...client, user, channel, data: { n: 1.0 } });
    expect(await subscribe('news')).toEqual({ result: {} });
    expect(await subscribe('users:a#42')).toEqual({ result: {} });
    expect(await subscribe('users:a#7')).toEqual({ error: { code: 103, message: 'permission denied' } });
    expect(await subscribe('news', '')).toEqual({ error: { code: 103, message: 'permission denied' } });
    expect(await subscribe('unknown:a')).toEqual({ error: { code: 102, message: 'unknown channel' } });
    expect(await subscribe('regex:A')).toEqual({ error: { code: 107, message: 'bad request' } });
    expect(await subscribe('x'.repeat(300))).toEqual({ error: { code: 107, message: 'bad request' } });
    expect(await publish('news')).toEqual({ result: {} });
    // A callback does not say who is subscribed, so what subscribers may do is not allowed.
    expect(await publish('chat:a')).toEqual({ error: { code: 103, message: 'permission denied' } });
    expect(await answer('publish', { ...client, user: '42', channel: 'news' })).toEqual({
      error: { code: 107, message: 'bad request' },
    });
  });

  it('let connections and subscriptions end when they expire', async () => {
    expect(await answer('refresh', { ...client, user: '42' })).toEqual({ result: { expired: true } });
    expect(await answer('sub_refresh', { ...client, user: '42', channel: 'news' })).toEqual({
      result: { expired: true },
    });
  });

  it('know no method', async () => {
    expect(await answer('rpc', { ...client, user: '42', method: 'x' })).toEqual({
      error: { code: 104, message: 'method not found' },
    });
  });
});

describe('an authorizer of the application', () => {
  it('receives the forwarded headers, and decides with all that a result can carry', async () => {
    const response = await call('connect', client, { 'x-mood': 'good', 'x-other': 'no' });
    expect(await response.text()).toBe(
      '{"result":{"user":"app-1","expire_at":2000000000,"info":{"mood":"good"},"b64data":"/w==",' +
        '"subs":{"chat:lobby":{"data":[1],"override":{"presence":{"value":false},"join_leave":{"value":true}}}},' +
        '"meta":{"m":1.5}}}',
    );
  });

  it('reads meta and data byte for byte, in JSON and in base64', async () => {
    const request = `{"client":"c1","user":"app-1","channel":"news","meta":{"m": 1.0},"data":[1.50]}`;
    expect(await (await call('subscribe', request)).text()).toBe(
      '{"result":{"expire_at":2000000000,"info":{"m": 1.0},"data":[1.50]}}',
    );
    const b64data = Buffer.from('[1.50]').toString('base64');
    expect(await (await call('rpc', { ...client, method: 'echo', b64data })).text()).toBe(
      '{"result":{"data":[1.50]}}',
    );
  });

  it('replaces the data of a publication, which are also those of the event', async () => {
    expect(await answer('publish', { ...client, user: 'app-1', channel: 'chat:p', data: 1 })).toEqual({
      result: { data: { replaced: true }, tags: { a: 'b' }, skip_history: true, version: 7 },
    });
    await events.until((all) => all.some(({ key }) => key === 'chat:p'));
    expect(events.entries.find(({ key }) => key === 'chat:p')?.payload).toEqual({
      client: 'c1',
      user: 'app-1',
      transport: 'websocket',
      protocol: 'json',
      channel: 'chat:p',
      data: { replaced: true },
    });
  });

  it('refuses with errors and disconnects of its own', async () => {
    expect(await answer('connect', client, { 'x-mood': 'bad' })).toEqual({
      disconnect: { code: 4501, reason: 'bad mood' },
    });
    expect(await answer('connect', client, { 'x-mood': 'later' })).toEqual({
      error: { code: 100, message: 'internal server error', temporary: true },
    });
    expect(await answer('rpc', { ...client, method: 'busy' })).toEqual({
      error: { code: 1100, message: 'busy', temporary: true },
    });
  });
});

describe('the events', () => {
  it('are published for what was allowed, by channel, without the token of the client', async () => {
    const token = sign({ sub: 'ev' });
    await answer('connect', { ...client, client: 'c-ev', data: { token }, name: 'js', version: '1' });
    await answer('subscribe', { ...client, client: 'c-ev', user: 'ev', channel: 'ev', data: { s: 1 } });
    await answer('subscribe', { ...client, client: 'c-ev', user: 'ev', channel: 'users:no#7' });
    await answer('publish', { ...client, client: 'c-ev', user: 'ev', channel: 'ev', data: 'text' });
    await answer('refresh', { ...client, client: 'c-ev', user: 'ev' });
    const about = ({ payload }: { payload: unknown }) => (payload as { client: string }).client === 'c-ev';
    await events.until((all) => all.filter(about).length >= 3);
    const common = { client: 'c-ev', user: 'ev', transport: 'websocket', protocol: 'json' };
    expect(events.entries.filter(about)).toEqual([
      { event: 'connect', key: 'ev', payload: { ...common, name: 'js', version: '1' } },
      { event: 'subscribe', key: 'ev', payload: { ...common, channel: 'ev', data: { s: 1 } } },
      { event: 'publish', key: 'ev', payload: { ...common, channel: 'ev', data: 'text' } },
    ]);
  });
});

describe('a request', () => {
  it('needs the API key', async () => {
    expect((await call('connect', client, { 'x-api-key': '' })).status).toBe(401);
    expect((await call('connect', client, { 'x-api-key': 'wrong-key-of-a-stranger' })).status).toBe(401);
  });

  it.each([
    ['', 'empty_body'],
    ['{"client":', 'invalid_json'],
    ['[]', 'invalid_json'],
    ['{"client":5}', 'invalid_json'],
    ['{"channels":"a"}', 'invalid_json'],
    [`{"data":${'['.repeat(100)}${']'.repeat(100)}}`, 'json_too_deep'],
  ])('with the body %s is refused', async (body, code) => {
    const response = await call('connect', body);
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
      400,
      code,
    ]);
  });

  it('has no surprise with prototype names', async () => {
    const request =
      '{"__proto__":{"user":"admin"},"constructor":1,"client":"c","user":"42","channel":"__proto__"}';
    expect(await (await call('subscribe', request)).json()).toEqual({ result: {} });
  });

  it('is counted by step and outcome', async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toMatch(/^carillon_callbacks_total\{step="connect",outcome="allowed"\} [1-9]/m);
    expect(text).toMatch(/^carillon_callbacks_total\{step="connect",outcome="refused"\} [1-9]/m);
  });
});
