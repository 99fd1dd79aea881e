/** The published JavaScript client of Centrifugo, unmodified, in both encodings. */
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Centrifuge as JsonCentrifuge, type Options, type PublicationContext } from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { WebSocket } from 'ws';
import { CentrifugoApp, sign, unixNow } from '../../support/centrifugo-app.js';

let app: CentrifugoApp;

beforeAll(async () => {
  app = await CentrifugoApp.start('config-main.json');
});

afterAll(() => app[Symbol.asyncDispose]());

/** Resolves with the context of the next event of this name. */
function next<Context>(
  emitter: { once(event: string, listener: (context: Context) => void): unknown },
  event: string,
): Promise<Context> {
  return new Promise((resolve) => emitter.once(event, resolve));
}

describe.each([
  ['json', JsonCentrifuge],
  ['protobuf', ProtobufCentrifuge],
] as const)('centrifuge-js in %s', (encoding, Client) => {
  const clients: { disconnect(): void }[] = [];
  let sockets: WebSocket[] = [];
  let channels = 0;

  /** The client expects data as objects in JSON, and as bytes in Protobuf. */
  const given = (value: unknown): unknown =>
    encoding === 'json' ? value : new Uint8Array(Buffer.from(JSON.stringify(value)));
  const read = (data: unknown): unknown =>
    encoding === 'json' ? data : (JSON.parse(Buffer.from(data as Uint8Array).toString()) as unknown);
  const freshChannel = (namespace: string) => `${namespace}:js-${encoding}-${channels++}`;

  function createClient(options: Partial<Options> = {}, user = 'ann') {
    const websocket = class extends WebSocket {
      constructor(url: string, protocols?: string | string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    };
    const client = new Client(app.socketUrl, {
      websocket,
      token: sign({ sub: user, info: { name: user } }),
      minReconnectDelay: 10,
      maxReconnectDelay: 50,
      ...options,
    });
    clients.push(client);
    return client;
  }

  async function connected(options?: Partial<Options>, user?: string) {
    const client = createClient(options, user);
    client.connect();
    await client.ready();
    return client;
  }

  /** Collects the data of the publications in a subscription from now on. */
  function collected(subscription: {
    on(event: 'publication', listener: (context: PublicationContext) => void): unknown;
  }) {
    const received: unknown[] = [];
    let arrived = () => {};
    subscription.on('publication', ({ data }) => {
      received.push(read(data));
      arrived();
    });
    const has = async (count: number) => {
      while (received.length < count) await new Promise<void>((resolve) => (arrived = resolve));
    };
    return { received, has };
  }

  /** Cuts all sockets, like a network failure. */
  function cut(): void {
    for (const socket of sockets.splice(0)) socket.terminate();
  }

  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
    sockets = [];
  });

  it('connects with a token and refreshes it', async () => {
    const client = createClient({
      token: sign({ sub: 'ann', exp: unixNow() + 6 }),
      getToken: async () => {
        renewing();
        return sign({ sub: 'ann', exp: unixNow() + 300 });
      },
    });
    let renewing = () => {};
    const renewal = new Promise<void>((resolve) => (renewing = resolve));
    const context = next<{ client: string }>(client, 'connected');
    client.connect();
    expect((await context).client).toMatch(/^[0-9a-f-]{36}$/);
    await renewal;
    // The next message is the reply to the refresh, because pings are far apart.
    await once(sockets[0]!, 'message');
    expect(client.state).toBe('connected');
  });

  it('requests a new token if the first has expired', async () => {
    const client = createClient({
      token: sign({ sub: 'ann', exp: unixNow() - 60 }),
      getToken: () => Promise.resolve(sign({ sub: 'ann' })),
    });
    client.connect();
    await client.ready();
    expect(client.state).toBe('connected');
  });

  it('does not reconnect after an invalid token', async () => {
    const client = createClient({ token: sign({ sub: 'ann' }, 'another secret') });
    const gone = next<{ code: number }>(client, 'disconnected');
    client.connect();
    expect(await gone).toMatchObject({ code: 3500, reason: 'invalid token' });
  });

  it('subscribes, publishes, and reads presence and history', async () => {
    const client = await connected();
    const subscription = client.newSubscription(freshChannel('chat'));
    const joined = next<{ info: object }>(subscription, 'join');
    subscription.subscribe();
    expect(await joined).toMatchObject({ info: { user: 'ann' } });
    const published = next<PublicationContext>(subscription, 'publication');
    await subscription.publish(given({ text: 'grüß dich' }));
    const { data, info, offset } = await published;
    expect({ data: read(data), user: info?.user, offset }).toEqual({
      data: { text: 'grüß dich' },
      user: 'ann',
      offset: 1,
    });
    const { clients: present } = await subscription.presence();
    expect(Object.values(present).map(({ user, connInfo }) => [user, read(connInfo)])).toEqual([
      ['ann', { name: 'ann' }],
    ]);
    expect(await subscription.presenceStats()).toMatchObject({ numClients: 1, numUsers: 1 });
    const { publications, epoch } = await subscription.history({ limit: 10 });
    expect(publications.map((each) => read(each.data))).toEqual([{ text: 'grüß dich' }]);
    const since = { offset: 0, epoch };
    expect((await subscription.history({ limit: 1, since })).publications).toHaveLength(1);
    await expect(
      subscription.history({ limit: 1, since: { offset: 0, epoch: 'other' } }),
    ).rejects.toMatchObject({
      code: 112,
    });
  });

  it('recovers the publications that it missed while the connection was cut', async () => {
    const channel = freshChannel('chat');
    const client = await connected();
    const subscription = client.newSubscription(channel);
    const { received, has } = collected(subscription);
    subscription.subscribe();
    await subscription.ready();
    await app.api('publish', { channel, data: { n: 1 } });
    await has(1);
    const again = next<{ wasRecovering: boolean; recovered: boolean }>(subscription, 'subscribed');
    cut();
    for (const n of [2, 3, 4]) await app.api('publish', { channel, data: { n } });
    expect(await again).toMatchObject({ wasRecovering: true, recovered: true });
    await has(4);
    await app.api('publish', { channel, data: { n: 5 } });
    await has(5);
    expect(received).toEqual([1, 2, 3, 4, 5].map((n) => ({ n })));
  });

  it('is notified if it missed too much', async () => {
    const channel = freshChannel('small');
    const { epoch } = (await app.api('publish', { channel, data: 1 })) as { epoch: string };
    for (const data of [2, 3, 4, 5]) await app.api('publish', { channel, data });
    const client = await connected();
    const subscription = client.newSubscription(channel, { since: { offset: 1, epoch } });
    const subscribed = next<object>(subscription, 'subscribed');
    subscription.subscribe();
    expect(await subscribed).toMatchObject({ wasRecovering: true, recovered: false });
  });

  it('has server-side subscriptions from the token and from the API', async () => {
    const [fromToken, fromApi] = [freshChannel('bench'), freshChannel('bench')];
    const client = createClient({ token: sign({ sub: 'bob', channels: [fromToken] }) });
    const subscribed = next<{ channel: string }>(client, 'subscribed');
    client.connect();
    expect((await subscribed).channel).toBe(fromToken);
    const more = next<{ channel: string; data: unknown }>(client, 'subscribed');
    await app.api('subscribe', { user: 'bob', channel: fromApi, data: { why: 'because' } });
    const { channel, data } = await more;
    expect([channel, read(data)]).toEqual([fromApi, { why: 'because' }]);
    const heard = next<PublicationContext>(client, 'publication');
    await app.api('publish', { channel: fromApi, data: 1 });
    expect(read((await heard).data)).toBe(1);
    const unsubscribed = next<{ channel: string }>(client, 'unsubscribed');
    await app.api('unsubscribe', { user: 'bob', channel: fromApi });
    expect((await unsubscribed).channel).toBe(fromApi);
  });

  it('sends many commands at once, and receives a reply to each', async () => {
    const client = await connected();
    const names = Array.from({ length: 50 }, () => freshChannel('bench'));
    client.startBatching();
    const subscriptions = names.map((name) => client.newSubscription(name));
    for (const each of subscriptions) each.subscribe();
    client.stopBatching();
    await Promise.all(subscriptions.map((each) => each.ready()));
    const echoed = Promise.all(subscriptions.map((each) => next<PublicationContext>(each, 'publication')));
    client.startBatching();
    const publishing = Promise.all(subscriptions.map((each, n) => each.publish(given({ n }))));
    client.stopBatching();
    await publishing;
    expect((await echoed).map(({ data }) => read(data))).toEqual(names.map((_, n) => ({ n })));
  });

  it('knows from the code whether to reconnect after a disconnect', async () => {
    const client = await connected({}, 'carl');
    const back = next<{ code: number }>(client, 'connecting');
    await app.api('disconnect', { user: 'carl', disconnect: { code: 4001, reason: 'moved' } });
    expect(await back).toMatchObject({ code: 4001, reason: 'moved' });
    await client.ready();
    const gone = next<{ code: number }>(client, 'disconnected');
    await app.api('disconnect', { user: 'carl' });
    expect(await gone).toMatchObject({ code: 3503, reason: 'force disconnect' });
  });

  it('applies deltas, also after a reconnection', async () => {
    const channel = freshChannel('delta');
    const list = Array.from({ length: 40 }, (_, n) => `entry number ${n} – größer`);
    const client = await connected();
    const subscription = client.newSubscription(channel, { delta: 'fossil' });
    const { received, has } = collected(subscription);
    subscription.subscribe();
    await subscription.ready();
    for (const n of [1, 2, 3]) await app.api('publish', { channel, data: { list, n } });
    await has(3);
    const again = next(subscription, 'subscribed');
    cut();
    for (const n of [4, 5]) await app.api('publish', { channel, data: { list, n } });
    await again;
    for (const n of [6, 7]) await app.api('publish', { channel, data: { list, n } });
    await has(7);
    expect(received).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => ({ list, n })));
  });

  it('receives messages to its user and to its connection', async () => {
    const client = createClient({}, 'dora');
    const context = next<{ client: string }>(client, 'connected');
    client.connect();
    const { client: id } = await context;
    const first = next<{ data: unknown }>(client, 'message');
    await trigger('user=dora', '{"to":"user"}');
    expect(read((await first).data)).toEqual({ to: 'user' });
    const second = next<{ data: unknown }>(client, 'message');
    await trigger(`connection=${id}`, '{"to":"connection"}');
    expect(read((await second).data)).toEqual({ to: 'connection' });
  });
});

async function trigger(query: string, body: string): Promise<void> {
  const response = await fetch(`${app.url}/trigger?${query}`, {
    method: 'POST',
    headers: { 'X-API-Key': 'api-key', 'content-type': 'application/json' },
    body,
  });
  expect(response.status).toBeLessThan(300);
}
