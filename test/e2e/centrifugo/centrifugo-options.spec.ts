/** The effects of Centrifugo options on clients that the recorded exchanges do not cover. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { API_KEY, CentrifugoApp, sign, SECRET, unixNow } from '../../support/centrifugo-app.js';
import { ProtocolClient } from '../../support/protocol-client.js';

const open = { allow_subscribe_for_client: true };
const channel = {
  namespaces: [
    {
      name: 'chat',
      ...open,
      presence: true,
      allow_presence_for_client: true,
      allow_publish_for_subscriber: true,
    },
    {
      name: 'last',
      ...open,
      history_size: 5,
      history_ttl: '60s',
      force_recovery: true,
      force_recovery_mode: 'cache',
      auto_cache_recover: true,
      allow_tags_filter: true,
    },
    { name: 'slow', ...open, channel_regex: '^([a-z0-9]+_?)+$' },
    { name: 'public', ...open, allow_subscribe_for_anonymous: true, allow_publish_for_client: true },
    { name: 'objects', publication_data_format: 'json_object' },
    { name: 'closed' },
  ],
};

describe('the options of Centrifugo', () => {
  let directory: string;
  const clients: ProtocolClient[] = [];

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'centrifugo-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  afterEach(() => {
    for (const { socket } of clients.splice(0)) socket.terminate();
  });

  const start = (client: object = {}): Promise<CentrifugoApp> => {
    const file = join(directory, 'config.json');
    const config = {
      http_api: { key: API_KEY },
      client: { token: { hmac_secret_key: SECRET }, allowed_origins: ['https://*.example.com'], ...client },
      channel,
    };
    writeFileSync(file, JSON.stringify(config));
    return CentrifugoApp.start(file);
  };
  const connecting = async (app: CentrifugoApp, claims?: object): Promise<ProtocolClient> => {
    const client = await ProtocolClient.open(app.socketUrl);
    clients.push(client);
    client.send({ id: 1, connect: claims === undefined ? {} : { token: sign(claims) } });
    return client;
  };
  const connected = async (app: CentrifugoApp, claims?: object): Promise<ProtocolClient> => {
    const client = await connecting(app, claims);
    expect(await client.nextObject()).toMatchObject({ id: 1, connect: { client: expect.any(String) } });
    return client;
  };

  it('subscribe_to_user_personal_channel: no other user can subscribe to the channel or read it', async () => {
    const personal = { enabled: true, personal_channel_namespace: 'chat' };
    await using app = await start({ subscribe_to_user_personal_channel: personal });
    await connected(app, { sub: 'bob,alice' });
    const alice = await connected(app, { sub: 'alice' });
    const denied = { error: { code: 103, message: 'permission denied' } };
    alice.send({ id: 2, subscribe: { channel: 'chat:#bob,alice' } });
    expect(await alice.nextObject()).toEqual({ id: 2, ...denied });
    alice.send({ id: 3, presence: { channel: 'chat:#bob,alice' } });
    expect(await alice.nextObject()).toEqual({ id: 3, ...denied });
    const named = await ProtocolClient.open(app.socketUrl);
    clients.push(named);
    const subs = { 'chat:#bob,alice': {}, 'chat:room': {} };
    named.send({ id: 1, connect: { token: sign({ sub: 'alice' }), subs } });
    const { connect } = (await named.nextObject()) as { connect: { subs: object } };
    expect(Object.keys(connect.subs).toSorted()).toEqual(['chat:#alice', 'chat:room']);
  });

  it('single_connection: keeps the latest connection of a user, with its personal channel', async () => {
    const personal = { enabled: true, single_connection: true, personal_channel_namespace: 'public' };
    await using app = await start({ subscribe_to_user_personal_channel: personal });
    const [first, other] = [await connected(app, { sub: 'ann' }), await connected(app, { sub: 'bob' })];
    const second = await connecting(app, { sub: 'ann' });
    expect(await second.nextObject()).toMatchObject({ connect: { subs: { 'public:#ann': {} } } });
    expect(await first.ended()).toEqual({ code: 3504, reason: 'connection limit' });
    await app.api('publish', { channel: 'public:#ann', data: 1 });
    expect(await second.nextObject()).toEqual({ push: { channel: 'public:#ann', pub: { data: 1 } } });
    expect(other.closed).toBeUndefined();
  });

  it('subscribe_to_user_personal_channel: works with any user id', async () => {
    const personal = { enabled: true, personal_channel_namespace: 'last' };
    await using app = await start({ subscribe_to_user_personal_channel: personal });
    const client = await connecting(app, { sub: 'Jürgen', channels: ['chat:é', ''] });
    const mine = 'last:#Jürgen';
    expect(await client.nextObject()).toMatchObject({ connect: { subs: { [mine]: {}, 'chat:é': {} } } });
    await app.api('publish', { channel: mine, data: 1 });
    expect(await client.nextObject()).toMatchObject({ push: { channel: mine, pub: { data: 1, offset: 1 } } });
    expect(await app.api('history', { channel: mine, limit: 1 })).toMatchObject({
      publications: [{ data: 1 }],
    });
    // Clients cannot use such a name.
    expect(await client.request({ id: 2, subscribe: { channel: 'last:é' } })).toMatchObject({
      error: { code: 107 },
    });
  });

  it('disallow_anonymous_connection_tokens: refuses tokens without a user', async () => {
    await using app = await start({ disallow_anonymous_connection_tokens: true });
    const client = await connecting(app, { sub: '' });
    expect(await client.ended()).toEqual({ code: 3507, reason: 'permission denied' });
  });

  it('insecure: every client may do anything, except in private channels', async () => {
    await using app = await start({ insecure: true });
    const client = await connected(app);
    expect(await client.request({ id: 2, subscribe: { channel: 'closed:a' } })).toEqual({
      id: 2,
      subscribe: {},
    });
    expect(await client.request({ id: 3, publish: { channel: 'closed:a', data: 1 } })).toEqual({
      id: 3,
      publish: {},
    });
    const denied = { error: { code: 103, message: 'permission denied' } };
    expect(await client.request({ id: 4, subscribe: { channel: '$closed:a' } })).toMatchObject(denied);
  });

  it('expired_sub_close_delay: closes the connection if the API does not extend a subscription that it made', async () => {
    await using app = await start({ expired_sub_close_delay: '1ms' });
    const [ending, prolonged] = [await connected(app, { sub: 'eve' }), await connected(app, { sub: 'fay' })];
    const until = (user: string, expire_at: number) =>
      app.api('subscribe', { user, channel: 'chat:e', expire_at });
    const soon = unixNow() + 2;
    for (const user of ['eve', 'fay']) await until(user, soon);
    await until('fay', soon + 60);
    expect(await ending.ended()).toEqual({ code: 3006, reason: 'subscription expired' });
    // What is due at the same time is handled in the same turn.
    await prolonged.request({ id: 2, presence: { channel: 'chat:e' } });
    expect(prolonged.closed).toBeUndefined();
  });

  it('channel_limit: applies to the API too', async () => {
    await using app = await start({ channel_limit: 1 });
    const client = await connected(app, { sub: 'eve', channels: ['chat:e'] });
    await app.api('subscribe', { user: 'eve', channel: 'public:e' });
    expect(await client.ended()).toEqual({ code: 3505, reason: 'channel limit' });
  });

  it('allow_anonymous_connect_without_token: without it, clients need a token', async () => {
    await using app = await start();
    expect(await (await connecting(app)).ended()).toEqual({ code: 3501, reason: 'bad request' });
  });

  it('user_id_claim: takes the user from another claim', async () => {
    await using app = await start({ token: { hmac_secret_key: SECRET, user_id_claim: 'uid' } });
    const client = await connected(app, { sub: 'ann', uid: 'bob' });
    await client.request({ id: 2, subscribe: { channel: 'chat:a' } });
    const { presence } = (await app.api('presence', { channel: 'chat:a' })) as { presence: object };
    expect(Object.values(presence)).toEqual([{ user: 'bob', client: expect.any(String) }]);
  });

  describe('with common options', () => {
    let app: CentrifugoApp;
    beforeAll(async () => {
      app = await start();
    });
    afterAll(() => app[Symbol.asyncDispose]());

    it('allowed_origins: allows origins that match a pattern', async () => {
      const headers = (origin: string) => ({ headers: { origin } });
      clients.push(await ProtocolClient.open(app.socketUrl, [], headers('https://app.example.com')));
      await expect(ProtocolClient.open(app.socketUrl, [], headers('https://example.org'))).rejects.toThrow(
        '403',
      );
    });

    it('auto_cache_recover: sends the latest publication to a new subscriber', async () => {
      for (const data of [1, 2]) await app.api('publish', { channel: 'last:a', data });
      const client = await connected(app, { sub: 'ann' });
      const answer = {
        recoverable: true,
        positioned: true,
        epoch: expect.any(String),
        recovered: true,
        was_recovering: true,
        publications: [{ data: 2, offset: 2 }],
      };
      expect(await client.request({ id: 2, subscribe: { channel: 'last:a' } })).toEqual({
        id: 2,
        subscribe: answer,
      });
    });

    it('force_recovery_mode "cache": sends the latest publication that passes the filter', async () => {
      for (const [n, color] of ['red', 'blue'].entries())
        await app.api('publish', { channel: 'last:b', data: n, tags: { color } });
      const client = await connected(app, { sub: 'ann' });
      const tf = { key: 'color', cmp: 'eq', val: 'red' };
      expect(
        await client.request({ id: 2, subscribe: { channel: 'last:b', recover: true, tf } }),
      ).toMatchObject({
        subscribe: { recovered: true, publications: [{ data: 0, offset: 1 }] },
      });
    });

    it('channel_regex: matches every name in linear time', async () => {
      const client = await connected(app, { sub: 'ann' });
      const name = `slow:${'a'.repeat(240)}!`;
      expect(await client.request({ id: 2, subscribe: { channel: name } })).toMatchObject({
        error: { code: 107 },
      });
    });

    it('allow_presence_for_client: includes clients that are not subscribed', async () => {
      const client = await connected(app, { sub: 'ann' });
      expect(await client.request({ id: 2, presence: { channel: 'chat:b' } })).toMatchObject({
        presence: {},
      });
      expect(await client.request({ id: 3, presence: { channel: 'closed:b' } })).toMatchObject({
        error: { code: 108 },
      });
    });

    it('a subscription has the info of its latest token', async () => {
      const client = await connected(app, { sub: 'ann' });
      const grant = (info: string) =>
        sign({ sub: 'ann', channel: 'chat:c', exp: unixNow() + 60, info: { info } });
      await client.request({ id: 2, subscribe: { channel: 'chat:c', token: grant('old') } });
      const refreshed = await client.request({
        id: 3,
        sub_refresh: { channel: 'chat:c', token: grant('new') },
      });
      expect(refreshed).toMatchObject({ sub_refresh: { expires: true } });
      await client.request({ id: 4, publish: { channel: 'chat:c', data: 1 } });
      expect(await client.nextObject()).toMatchObject({
        push: { pub: { info: { chan_info: { info: 'new' } } } },
      });
    });

    it('a token for one connection is refused from another', async () => {
      const client = await connected(app, { sub: 'ann' });
      const token = sign({ sub: 'ann', channel: 'chat:d', client: 'another' });
      client.send({ id: 2, subscribe: { channel: 'chat:d', token } });
      expect(await client.ended()).toEqual({ code: 3500, reason: 'invalid token' });
    });

    it('a token cannot send bytes to a JSON client', async () => {
      const client = await connected(app, { sub: 'ann' });
      const b64data = Buffer.from([0xff]).toString('base64');
      client.send({
        id: 2,
        subscribe: { channel: 'chat:h', token: sign({ sub: 'ann', channel: 'chat:h', b64data }) },
      });
      expect(await client.ended()).toEqual({ code: 3506, reason: 'inappropriate protocol' });
    });

    it('the format of data is checked before the permission to publish', async () => {
      const client = await connected(app, { sub: 'ann' });
      expect(await client.request({ id: 2, publish: { channel: 'objects:a', data: [] } })).toMatchObject({
        error: { code: 107 },
      });
      expect(await client.request({ id: 3, publish: { channel: 'objects:a', data: {} } })).toMatchObject({
        error: { code: 103 },
      });
    });

    it('subscribing and writing to maps is refused, because there are none', async () => {
      const client = await connected(app, { sub: 'ann' });
      const denied = { error: { code: 103 } };
      expect(await client.request({ id: 2, subscribe: { channel: 'public:m', type: 1 } })).toMatchObject(
        denied,
      );
      const write = { channel: 'public:m', data: 1, type: 1, key: 'k' };
      expect(await client.request({ id: 3, publish: write })).toMatchObject(denied);
    });

    it('a refreshed connection keeps its info if the new token has none', async () => {
      const client = await connected(app, { sub: 'hal', exp: unixNow() + 60, info: { n: 1 } });
      const seen = async (id: number) => {
        await client.request({ id, publish: { channel: 'public:hal', data: id } });
        return client.nextObject();
      };
      await client.request({ id: 2, subscribe: { channel: 'public:hal' } });
      await client.request({ id: 3, refresh: { token: sign({ sub: 'hal', exp: unixNow() + 90 }) } });
      expect(await seen(4)).toMatchObject({ push: { pub: { info: { conn_info: { n: 1 } } } } });
      const token = sign({ sub: 'hal', exp: unixNow() + 90, info: { n: 2 } });
      await client.request({ id: 5, refresh: { token } });
      expect(await seen(6)).toMatchObject({ push: { pub: { info: { conn_info: { n: 2 } } } } });
    });

    it('sub_refresh: only for subscriptions that the client made', async () => {
      const client = await connected(app, { sub: 'ida', channels: ['chat:i'] });
      const token = sign({ sub: 'ida', channel: 'nope:i' });
      expect(await client.request({ id: 2, sub_refresh: { channel: 'nope:i', token } })).toMatchObject({
        error: { code: 103 },
      });
      client.send({
        id: 3,
        sub_refresh: { channel: 'chat:i', token: sign({ sub: 'ida', channel: 'chat:i' }) },
      });
      expect(await client.ended()).toEqual({ code: 3501, reason: 'bad request' });
    });

    it('the API does not make a subscription that has expired', async () => {
      const client = await connected(app, { sub: 'eve' });
      await app.api('subscribe', { user: 'eve', channel: 'chat:e', expire_at: unixNow() - 60 });
      await app.api('subscribe', { user: 'eve', channel: 'public:e' });
      expect(await client.nextObject()).toMatchObject({ push: { channel: 'public:e', subscribe: {} } });
      expect(client.closed).toBeUndefined();
    });

    it('the API replaces the info of a connection', async () => {
      const client = await connected(app, { sub: 'fay', info: { n: 1 } });
      await app.api('refresh', { user: 'fay', info: { n: 2 } });
      expect(await client.nextObject()).toEqual({ push: { refresh: {} } });
      await client.request({ id: 2, subscribe: { channel: 'chat:f' } });
      await client.request({ id: 3, publish: { channel: 'chat:f', data: 1 } });
      expect(await client.nextObject()).toMatchObject({ push: { pub: { info: { conn_info: { n: 2 } } } } });
    });

    it('the API does not disconnect connections of the whitelist, or other than the given one', async () => {
      const ids: string[] = [];
      const [a, b, c] = await Promise.all(
        ['gil', 'gil', 'gil'].map(async (sub) => {
          const client = await connecting(app, { sub });
          const { connect } = (await client.nextObject()) as { connect: { client: string } };
          ids.push(connect.client);
          return { client, id: connect.client };
        }),
      );
      await app.api('disconnect', { user: 'gil', client: a!.id });
      expect(await a!.client.ended()).toEqual({ code: 3503, reason: 'force disconnect' });
      await app.api('disconnect', {
        user: 'gil',
        whitelist: [b!.id],
        disconnect: { code: 4100, reason: 'out' },
      });
      expect(await c!.client.ended()).toEqual({ code: 4100, reason: 'out' });
      expect(b!.client.closed).toBeUndefined();
    });
  });
});
