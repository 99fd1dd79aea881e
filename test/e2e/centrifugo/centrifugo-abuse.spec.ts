/** Clients of the Centrifugo protocol that violate it or exceed their limits. */
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { CentrifugoApp, sign, unixNow } from '../../support/centrifugo-app.js';
import { ProtocolClient } from '../../support/protocol-client.js';

const clients: ProtocolClient[] = [];

async function open(app: CentrifugoApp): Promise<ProtocolClient> {
  const client = await ProtocolClient.open(app.socketUrl);
  clients.push(client);
  return client;
}

async function connect(app: CentrifugoApp, user = '42'): Promise<ProtocolClient> {
  const client = await open(app);
  expect(await client.request({ id: 1, connect: { token: sign({ sub: user }) } })).toHaveProperty('connect');
  return client;
}

afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.terminate();
});

const nested = (depth: number) =>
  '{"op":"not","nodes":['.repeat(depth) + '{"key":"a","cmp":"ex"}' + ']}'.repeat(depth);

describe('violations of the protocol', () => {
  let app: CentrifugoApp;

  beforeAll(async () => {
    app = await CentrifugoApp.start('config-main.json');
  });

  afterAll(() => app[Symbol.asyncDispose]());

  it.each([
    ['no JSON', 'hello', 3501],
    ['half an object', '{"id":2,"subscribe":{"channel":"a"', 3501],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 3501],
    ['objects in objects without end', '{"a":'.repeat(10_000), 3501],
    [
      'deeply nested lists in a payload',
      `{"id":2,"publish":{"channel":"a","data":${'['.repeat(30_000)}}}`,
      3501,
    ],
    ['filters in filters without end', `{"id":2,"subscribe":{"channel":"tags:a","tf":${nested(200)}}}`, 3501],
    ['a number that is none', '{"id":1e999,"unsubscribe":{"channel":"a"}}', 3501],
    ['a negative id', '{"id":-1,"unsubscribe":{"channel":"a"}}', 3501],
    ['a frame beyond the limit', 'x'.repeat(65_537), 1009],
    ['text that is not UTF-8', undefined, 1007],
  ])('%s closes the connection', async (_, frame, code) => {
    const client = await connect(app);
    if (frame === undefined) client.socket.send(Buffer.from([0xc3, 0x28]), { binary: false });
    else client.send(frame, Buffer.isBuffer(frame));
    expect((await client.ended()).code).toBe(code);
  });

  it.each([
    ['a length beyond the end', Buffer.from([0x7f, 0x08, 0x01])],
    ['a length without end', Buffer.alloc(20, 0xff)],
    ['a group that is never closed', Buffer.from([0x03, 0x0b, 0x0b, 0x0b])],
    ['nothing', Buffer.alloc(0)],
  ])('%s closes a connection in Protobuf', async (_, frame) => {
    const socket = new WebSocket(`${app.socketUrl}?format=protobuf`);
    await once(socket, 'open');
    socket.send(frame, { binary: true });
    expect((await once(socket, 'close'))[0]).toBe(3501);
  });

  it.each(['~user:42', '~connection:x', '\u{1f600}', 'ns:'.repeat(80), 'tok:x'])(
    'refuses the channel %j, and continues',
    async (channel) => {
      const client = await connect(app);
      const commands = [
        { subscribe: { channel } },
        { subscribe: { channel, token: channel } },
        { publish: { channel, data: {} } },
        { presence: { channel } },
        { history: { channel } },
        { sub_refresh: { channel, token: 'x' } },
      ];
      const answers = [];
      for (const [n, command] of commands.entries())
        answers.push(await client.request({ id: n + 2, ...command }));
      expect(answers).toEqual(commands.map((_, n) => ({ id: n + 2, error: expect.any(Object) })));
    },
  );

  it.each(['__proto__', 'constructor', 'a\u0000b', 'toString'])(
    'treats %j like any other name',
    async (channel) => {
      const client = await connect(app);
      expect(await client.request({ id: 2, subscribe: { channel } })).toEqual({ id: 2, subscribe: {} });
      await app.api('publish', { channel, data: 1 });
      expect(await client.nextObject()).toEqual({ push: { channel, pub: { data: 1 } } });
      expect(await client.request({ id: 3, unsubscribe: { channel } })).toEqual({ id: 3, unsubscribe: {} });
    },
  );

  it.each([
    ['~control', 107],
    ['~user:43', 102],
    ['~connection:x', 102],
    ['~node:x', 102],
  ])('no client can use %s, which is not a channel for clients', async (channel, code) => {
    const client = await connect(app);
    const token = sign({ sub: '42', channel });
    const refused = { error: { code } };
    expect(await client.request({ id: 2, subscribe: { channel } })).toMatchObject(refused);
    expect(await client.request({ id: 3, subscribe: { channel, token } })).toMatchObject(refused);
    expect(await client.request({ id: 4, publish: { channel, data: {} } })).toMatchObject(refused);
    expect(await client.request({ id: 5, history: { channel } })).toMatchObject(refused);
    const listing = await open(app);
    const listed = { token: sign({ sub: '42', channels: [channel] }) };
    expect(await listing.request({ id: 1, connect: listed })).toMatchObject(refused);
  });

  it('accepts neither a subscription token for a connection nor a connection token for a subscription', async () => {
    const client = await open(app);
    client.send({ id: 1, connect: { token: sign({ sub: '42', channel: 'tok:a' }) } });
    expect(await client.ended()).toEqual({ code: 3500, reason: 'invalid token' });
    const other = await connect(app);
    const token = sign({ sub: '42', exp: unixNow() + 60 });
    expect(await other.request({ id: 2, subscribe: { channel: 'tok:a', token } })).toMatchObject({
      error: { code: 103 },
    });
  });

  it('closes a client that floods it with pongs', async () => {
    const client = await connect(app);
    client.send('{}');
    expect(await client.ended()).toEqual({ code: 3501, reason: 'bad request' });
  });

  it('closes a client that does not read, without delaying others', async () => {
    const [slow, quick] = [await connect(app, 'slow'), await connect(app, 'quick')];
    for (const client of [slow, quick]) await client.request({ id: 2, subscribe: { channel: 'bench:slow' } });
    slow.socket.pause();
    const data = 'x'.repeat(60_000);
    for (let n = 0; n < 200; n++) {
      await app.api('publish', { channel: 'bench:slow', data: { n, data } });
      expect(await quick.nextObject()).toMatchObject({ push: { pub: { data: { n } } } });
    }
    slow.socket.resume();
    expect([1006, 3008]).toContain((await slow.ended()).code);
    expect(quick.closed).toBeUndefined();
  });
});

describe('rate limits', () => {
  let app: CentrifugoApp;

  beforeAll(async () => {
    app = await CentrifugoApp.start('config-main.json', {
      'gateway.client.rates.connection.perSecond': 100,
      'gateway.client.rates.connection.burst': 20,
      'gateway.client.rates.user.perSecond': 0.001,
      'gateway.client.rates.user.burst': 40,
      'gateway.client.rates.address.perSecond': 0.001,
      'gateway.client.rates.address.burst': 70,
    });
  });

  afterAll(() => app[Symbol.asyncDispose]());

  async function flood(client: ProtocolClient, count: number): Promise<number> {
    const ids = Array.from({ length: count }, (_, n) => n + 10);
    client.send(ids.map((id) => `{"id":${id},"unsubscribe":{"channel":"a"}}`).join('\n'));
    const answers = [];
    while (answers.length < count) answers.push(await client.nextObject());
    expect(answers.map(({ id }) => id)).toEqual(ids);
    const refusals = answers.filter((answer) => 'error' in answer);
    const tooMany = { code: 111, message: 'too many requests', temporary: true };
    expect(refusals.map(({ error }) => error)).toEqual(refusals.map(() => tooMany));
    return refusals.length;
  }

  it('slow a connection down, and refuse commands beyond those of its user and its address', async () => {
    const first = await connect(app, 'greedy');
    const startedAt = performance.now();
    expect(await flood(first, 30)).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(100);
    // The user has ten left.
    expect(await flood(await connect(app, 'greedy'), 19)).toBe(9);
    expect(await flood(await connect(app, 'modest'), 19)).toBe(0);
    expect(await flood(await connect(app, 'late'), 19)).toBeGreaterThan(0);
  });
});

it('slows a client down whose commands are refused, and then closes it', async () => {
  await using app = await CentrifugoApp.start('config-main.json', {
    'gateway.client.rates.refused.burst': 10,
  });
  const client = await connect(app, 'refused');
  const startedAt = performance.now();
  const ids = Array.from({ length: 2_000 }, (_, n) => n + 10);
  client.send(ids.map((id) => `{"id":${id},"rpc":{}}`).join('\n'));
  expect(await client.ended()).toEqual({ code: 3509, reason: 'too many errors' });
  // A pause of this machine starts the count again.
  expect(client.messages.length).toBeGreaterThan(100);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(850);
});

describe('configured limits', () => {
  let app: CentrifugoApp;

  beforeAll(async () => {
    app = await CentrifugoApp.start('config-limits.json');
  });

  afterAll(() => app[Symbol.asyncDispose]());

  it('apply to the connections of a user, but not to those of anonymous clients', async () => {
    await connect(app, 'u');
    const second = await connect(app, 'u');
    const third = await open(app);
    third.send({ id: 1, connect: { token: sign({ sub: 'u' }) } });
    expect(await third.ended()).toEqual({ code: 3504, reason: 'connection limit' });
    await second.close();
    await connect(app, 'u');
    for (let i = 0; i < 4; i++) {
      const anonymous = await open(app);
      expect(await anonymous.request({ id: 1, connect: {} })).toHaveProperty('connect');
    }
  });

  it('apply to the channels of a token', async () => {
    const client = await open(app);
    client.send({ id: 1, connect: { token: sign({ sub: 'x', channels: ['bench:1', 'bench:2'] }) } });
    // The personal channel is the third one.
    expect(await client.ended()).toEqual({ code: 3505, reason: 'channel limit' });
  });

  it('apply to the subscriptions of a client', async () => {
    const client = await open(app);
    await client.request({ id: 1, connect: {} });
    const token = (channel: string) => sign({ sub: '', channel });
    const lines = Array.from({ length: 100 }, (_, n) => {
      const channel = `$bench:${n}`;
      return JSON.stringify({ id: n + 2, subscribe: { channel, token: token(channel) } });
    });
    client.send(lines.join('\n'));
    const answers = [];
    for (let n = 0; n < 100; n++) answers.push(await client.nextObject());
    expect(answers.filter((answer) => 'subscribe' in answer)).toHaveLength(2);
    expect(answers.at(-1)).toEqual({ id: 101, error: { code: 106, message: 'limit exceeded' } });
  });
});
