/** The server API beyond the recorded exchanges: payload bytes, lanes, and commands to connections. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ControlCommand, Publication } from '../../../src/delivery/index.js';
import { API_KEY, TriggerApp } from '../../support/trigger-app.js';

const CHANNELS = {
  withoutNamespace: { presence: true },
  namespaces: [
    { name: 'kept', historySize: 10, historyTtlMs: 60_000 },
    { name: 'objects', publicationDataFormat: 'json_object' },
  ],
};

describe('The server API', () => {
  let app: TriggerApp;

  beforeEach(async () => {
    app = await TriggerApp.start({ delivery: { channels: CHANNELS } });
  });
  afterEach(() => app[Symbol.asyncDispose]());

  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${app.url}/${path}`, {
      method: 'POST',
      headers: { 'X-API-Key': API_KEY, ...headers },
      body,
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const call = async (method: string, request: object): Promise<unknown> =>
    JSON.parse((await post(`api/${method}`, JSON.stringify(request))).text);
  const listen = async (channel: string): Promise<Publication[]> => {
    const heard: Publication[] = [];
    await app.delivery.attach(channel, { receive: (publication) => heard.push(publication) });
    return heard;
  };
  const commands = (): ControlCommand[] => {
    const heard: ControlCommand[] = [];
    app.nodes.onCommand((command) => heard.push(command));
    return heard;
  };
  const badRequest = (message: string) => ({ error: { code: 107, message } });

  describe('publishes', () => {
    it('the payload byte for byte', async () => {
      const heard = await listen('a');
      const payload = '{ "b":1.50, "a":"\\u00e9\\/", "a":[ ] }';
      const { text } = await post(
        'api/publish',
        ` {"data": ${payload} , "channel":"\\u0061","tags":{"t":"1"}}`,
      );
      expect(text).toBe('{"result":{}}');
      expect(heard).toMatchObject([{ format: 'json', tags: { t: '1' }, lane: 'direct' }]);
      expect(heard[0]?.data.toString()).toBe(payload);
    });

    it('base64 as bytes, or as JSON if the bytes are JSON', async () => {
      const heard = await listen('a');
      await call('publish', { channel: 'a', data: 1, b64data: Buffer.from('{}').toString('base64') });
      await call('publish', { channel: 'a', b64data: Buffer.from([1, 255]).toString('base64') });
      expect(heard.map(({ format, data }) => [format, [...data]])).toEqual([
        ['json', [...Buffer.from('{}')]],
        ['binary', [1, 255]],
      ]);
    });

    it('bytes that the history returns as base64', async () => {
      await call('publish', { channel: 'kept:a', b64data: 'Af8=' });
      expect(await call('history', { channel: 'kept:a', limit: 1 })).toMatchObject({
        result: { publications: [{ b64data: 'Af8=', offset: 1 }] },
      });
    });

    it('only data in the format of the namespace', async () => {
      expect(await call('publish', { channel: 'objects:a', data: [] })).toEqual(badRequest('bad request'));
      expect(await call('publish', { channel: 'objects:a', data: {} })).toEqual({ result: {} });
    });

    it.each(['~others', 'a'.repeat(256)])('nothing in an invalid channel: %s', async (channel) => {
      expect(await call('publish', { channel, data: 1 })).toEqual(badRequest('bad request'));
    });

    it('in a channel that clients cannot name', async () => {
      expect(await call('publish', { channel: 'café', data: 1 })).toEqual({ result: {} });
    });

    it('data larger than the limit of other requests, but only with a key', async () => {
      const body = JSON.stringify({ channel: 'a', data: 'x'.repeat(200_000) });
      expect((await post('api/publish', body)).status).toBe(200);
      expect((await post('api/publish', body, { 'X-API-Key': 'wrong' })).status).toBe(401);
      for (const scheme of ['Bearer', 'apikey', 'ApiKey']) {
        const inAuthorization = { 'X-API-Key': '', Authorization: `${scheme} ${API_KEY}` };
        expect((await post('api/publish', body, inAuthorization)).status).toBe(200);
      }
      expect((await post('api/publish', body, { 'X-API-Key': '', Authorization: 'Bearer no' })).status).toBe(
        401,
      );
      expect((await post('api/publish', JSON.stringify('x'.repeat(1_100_000)))).status).toBe(413);
    });
  });

  describe('with lanes', () => {
    it('schedules a publication, which can be managed like any other scheduled message', async () => {
      const answer = await call('publish', {
        channel: 'kept:a',
        data: { n: 1 },
        tags: { t: '1' },
        delay: 'PT1H',
      });
      const { id } = (answer as { result: { id: string } }).result;
      expect(await app.delayed()).toMatchObject([{ id, channel: 'kept:a', tags: { t: '1' } }]);

      const url = `${app.url}/schedules/${id}`;
      const headers = { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' };
      const found = await fetch(url, { headers });
      expect(await found.json()).toMatchObject({ id, channel: 'kept:a', data: { n: 1 } });
      const moved = await fetch(url, { method: 'PATCH', headers, body: '{"delay":"PT2H"}' });
      expect(moved.status).toBe(200);
      expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(204);
      expect(await app.delayed()).toEqual([]);
    });

    it('accepts milliseconds and timestamps', async () => {
      const dueAt = Date.now() + 3_600_000;
      await call('publish', {
        channel: 'a',
        data: 1,
        deliver_at: new Date(dueAt).toISOString(),
        expires_in: 7_200_000,
      });
      await call('publish', { channel: 'b', data: 1, delay: 7_200_000 });
      const [first, second] = await app.delayed();
      expect(first).toMatchObject({ channel: 'a', dueAt });
      expect(first?.expiresAt).toBeGreaterThan(dueAt);
      expect(second).toMatchObject({ channel: 'b' });
    });

    it('puts a publication on the instant lane, with all of its options', async () => {
      await app.consume();
      const request = {
        channel: 'a',
        data: { n: 1 },
        via: 'bus',
        skip_history: true,
        version: 3,
        version_epoch: 'e',
      };
      const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
      const { text } = await post('api/publish', JSON.stringify(request), { traceparent });
      const { id } = (JSON.parse(text) as { result: { id: string } }).result;
      await app.consumed(id);
      expect(app.instantMessages).toMatchObject([
        {
          id,
          channel: 'a',
          traceparent,
          extension: {
            'carillon-skip-history': 'true',
            'carillon-data-version': '3',
            'carillon-data-version-epoch': 'e',
          },
        },
      ]);
    });

    it('returns the id of a direct publication if it was requested', async () => {
      const heard = await listen('kept:a');
      const answer = await call('publish', { channel: 'kept:a', data: 1, via: 'direct', expires_in: 'PT1M' });
      expect(answer).toEqual({ result: { offset: 1, epoch: expect.any(String), id: heard[0]?.id } });
      expect(heard[0]?.expiresAt).toBeGreaterThan(Date.now());
    });

    it('returns the same id for the same idempotency key', async () => {
      const request = { channel: 'a', data: 1, delay: 3_600_000, idempotency_key: 'k' };
      const first = await call('publish', request);
      expect(await call('publish', request)).toEqual(first);
      expect(await call('publish', { ...request, data: 2 })).toMatchObject({ error: { code: 107 } });
      expect(await app.delayed()).toHaveLength(1);
    });

    it('creates a message for each channel of a broadcast', async () => {
      const answer = await call('broadcast', { channels: ['a', 'nope:b', 'c'], data: 1, delay: 'PT1H' });
      const id = expect.any(String);
      expect(answer).toEqual({
        result: {
          responses: [
            { result: { id } },
            { error: { code: 102, message: 'unknown channel' } },
            { result: { id } },
          ],
        },
      });
      expect((await app.delayed()).map(({ channel }) => channel)).toEqual(['a', 'c']);
    });

    it.each([
      [{ delay: -1 }, 'delay must be 0 or more'],
      [{ delay: 1.5 }, 'delay must be whole milliseconds or an ISO 8601 duration such as PT3S'],
      [{ delay: true }, 'delay must be whole milliseconds or an ISO 8601 duration such as PT3S'],
      [{ delay: 'P1Y' }, 'delay must be whole milliseconds or an ISO 8601 duration such as PT3S'],
      [{ delay: 9e12 }, 'the delay is too long: at most 2592000000 ms are accepted'],
      [
        { delay: 1, deliver_at: '2030-01-01T00:00:00Z' },
        'delay and deliver_at exclude each other: send one of them',
      ],
      [{ deliver_at: 'soon' }, 'deliver_at must be an RFC 3339 timestamp such as 2030-01-31T09:00:00Z'],
      [{ deliver_at: 1 }, 'deliver_at must be an RFC 3339 timestamp such as 2030-01-31T09:00:00Z'],
      [{ deliver_at: '2020-01-01T00:00:00Z' }, 'the due time is in the past'],
      [{ expires_in: 0 }, /^expires_in must be more than 0 and at most/],
      [{ delay: 10, expires_in: 5 }, 'the delayed copy would expire before it is due'],
      [{ via: 'pigeon' }, 'via must be direct or bus'],
      [
        { via: 'direct', delay: 1 },
        'via must not be direct if there is a delay: a delayed message waits in a lane',
      ],
    ])('reports what is wrong with %j', async (fields, message) => {
      expect(await call('publish', { channel: 'a', data: 1, ...fields })).toEqual({
        error: { code: 107, message: expect.stringMatching(message) },
      });
    });
  });

  describe('sends commands to connections', () => {
    it('with all fields of the request', async () => {
      const heard = commands();
      const expireAt = Math.floor(Date.now() / 1000) + 60;
      await call('subscribe', {
        user: 'u',
        client: 'c',
        channel: 'a',
        info: { i: 1 },
        b64data: 'e30=',
        expire_at: expireAt,
        recover_since: { offset: 3, epoch: 'e' },
        override: { presence: { value: true }, join_leave: null },
      });
      await call('unsubscribe', { user: 'u', channel: 'a', session: 's' });
      await call('disconnect', { user: 'u', whitelist: ['c'], disconnect: { code: 4100, reason: 'bye' } });
      await call('refresh', { user: '', expired: true, expire_at: String(expireAt) });
      expect(heard).toEqual([
        {
          kind: 'subscribe',
          user: 'u',
          client: 'c',
          channel: 'a',
          info: Buffer.from('{"i":1}'),
          data: Buffer.from('{}'),
          expiresAt: expireAt * 1000,
          recoverSince: { offset: 3, epoch: 'e' },
          override: { presence: true },
        },
        { kind: 'unsubscribe', user: 'u', session: 's', channel: 'a' },
        { kind: 'disconnect', user: 'u', whitelist: ['c'], disconnect: { code: 4100, reason: 'bye' } },
        { kind: 'refresh', user: '', expired: true, expiresAt: expireAt * 1000 },
      ]);
    });

    it('but refuses codes that clients do not understand', async () => {
      const heard = commands();
      expect(await call('unsubscribe', { user: 'u', channel: '' })).toEqual(badRequest('bad request'));
      expect(await call('disconnect', { user: 'u', disconnect: { code: 1000 } })).toEqual(
        badRequest('disconnect.code must be 3000 to 4999'),
      );
      expect(
        await call('disconnect', { user: 'u', disconnect: { code: 4000, reason: 'é'.repeat(62) } }),
      ).toEqual(badRequest('disconnect.reason must be at most 123 bytes'));
      expect(heard).toEqual([]);
    });
  });

  it('returns the presence of a channel with the info of the clients', async () => {
    const info = { user: 'u', client: 'c', connInfo: Buffer.from('{"n" :1}'), chanInfo: Buffer.from([255]) };
    await app.presence.add('a', info, 60_000);
    expect((await post('api/presence', '{"channel":"a"}')).text).toBe(
      '{"result":{"presence":{"c":{"user":"u","client":"c","conn_info":{"n" :1}}}}}',
    );
  });

  it('executes the commands of a batch in their order', async () => {
    const batch = [
      { publish: { channel: 'kept:a', data: 1 } },
      { history: { channel: 'kept:a', limit: 0 } },
      { publish: { channel: 'kept:a', data: 2 } },
      { nothing: {} },
    ];
    expect(await call('batch', { commands: batch })).toMatchObject({
      replies: [
        { publish: { offset: 1 } },
        { history: { offset: 1 } },
        { publish: { offset: 2 } },
        { error: { code: 104 } },
      ],
    });
  });

  it.each([
    '{"channel":1,"data":1}',
    '{"channel":"a","data":1,"tags":{"t":1}}',
    '{"channel":"a","data":1} x',
    '{"channel":"a","data":01}',
    '{"channel":"a","data":1,"version":-1}',
  ])('rejects the request %s', async (body) => {
    expect(await post('api/publish', body)).toMatchObject({ status: 400, text: 'Bad Request\n' });
  });

  it('slows down clients that guess keys', async () => {
    await app[Symbol.asyncDispose]();
    app = await TriggerApp.start({ trigger: { rateLimit: { perSecond: 0.001, burst: 2 } } });
    const guess = async () => (await post('api/info', '{}', { 'X-API-Key': 'guess' })).status;
    expect([await guess(), await guess(), await guess()]).toEqual([401, 401, 429]);
    expect((await post('api/info', '{}')).status).toBe(200);
  });

  it('does not exist if it is disabled', async () => {
    await app[Symbol.asyncDispose]();
    app = await TriggerApp.start({ trigger: { api: { enabled: false } } });
    expect((await post('api/info', '{}')).status).toBe(404);
  });

  it('returns errors with a status if it is configured', async () => {
    await app[Symbol.asyncDispose]();
    app = await TriggerApp.start({ trigger: { api: { errorMode: 'transport' } } });
    expect(await post('api/publish', '{"channel":"nope:a","data":1}')).toMatchObject({
      status: 404,
      text: '{"code":102,"message":"unknown channel"}',
    });
  });

  it('needs no key if it is insecure, except from a web page', async () => {
    await using open = await TriggerApp.start({ trigger: { api: { insecure: true } } });
    const publish = async (headers: Record<string, string>): Promise<number> => {
      const body = '{"channel":"a","data":1}';
      return (await fetch(`${open.url}/api/publish`, { method: 'POST', headers, body })).status;
    };
    expect(await publish({})).toBe(200);
    expect(await publish({ Origin: 'https://example.com' })).toBe(401);
  });
});
