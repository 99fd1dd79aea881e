import { once } from 'node:events';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { register } from 'prom-client';
import { identityChannel, newConnectionId, userChannel } from '../../../src/delivery/index.js';
import { writeCursor } from '../../../src/http/parameters/page-parameters.js';
import { API_KEY, TriggerApp } from '../../support/trigger-app.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const KEY = { 'x-api-key': API_KEY };
const BELL = { ...JSON_TYPE, 'user-agent': 'bell/1' };
const BELL_CHANNEL = identityChannel('bell/1', '127.0.0.1');
const UUID = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

interface PushResponse {
  readonly channel: string;
  readonly messages: readonly { readonly id: string; readonly lane: string; readonly dueAt: string }[];
}

interface Schedule {
  readonly id: string;
  readonly dueAt: string;
  readonly channel: string;
  readonly data?: unknown;
}

let app: TriggerApp;

beforeAll(async () => {
  app = await TriggerApp.start({
    trigger: { maxJsonDepth: 8 },
    delivery: { channels: { namespaces: [{ name: 'objects', publicationDataFormat: 'json_object' }] } },
  });
  await app.consume();
});

afterAll(() => app[Symbol.asyncDispose]());

interface Call {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

function call(
  method: string,
  path: string,
  { headers = BELL, body }: Call = {},
  on = app,
): Promise<Response> {
  return fetch(on.url + path, { method, headers, ...(body === undefined ? {} : { body }) });
}

const post = (query: string, init: Call = {}, on = app) =>
  call('POST', `/trigger${query}`, { body: '{"id":"Hello"}', ...init }, on);

async function accepted(response: Promise<Response>): Promise<PushResponse> {
  const answer = await response;
  expect(answer.status).toBe(202);
  return (await answer.json()) as PushResponse;
}

async function refused(response: Response | Promise<Response>): Promise<string> {
  const answer = await response;
  const body = (await answer.json()) as { error: { code: string; message: string } };
  expect(Object.keys(body)).toEqual(['error']);
  expect(Object.keys(body.error)).toEqual(['code', 'message']);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.headers.get('x-request-id')).toBeTruthy();
  return `${answer.status} ${body.error.code}`;
}

/** Sends bytes that no HTTP client would send, and reads until the server closes the connection. */
async function raw(request: string, on = app): Promise<string> {
  const socket = createConnection(on.port, '127.0.0.1');
  socket.write(request);
  return text(socket);
}

async function valueOf(name: string, labels: Record<string, string>): Promise<number> {
  const { values = [] } = (await register.getSingleMetric(name)?.get()) ?? {};
  return values.find((sample) => isDeepStrictEqual(sample.labels, labels))?.value ?? 0;
}

const errorsWith = (code: string) => valueOf('carillon_http_errors_total', { code });

describe('POST /trigger', () => {
  it('queues an instant copy and a delayed copy, three seconds later, for the caller', async () => {
    const before = Date.now();
    const { channel, messages } = await accepted(post(''));
    expect(channel).toBe(BELL_CHANNEL);
    expect(messages.map(({ lane }) => lane)).toEqual(['instant', 'delayed']);
    const [instantDue, delayedDue] = messages.map(({ dueAt }) => Date.parse(dueAt));
    expect(instantDue).toBeGreaterThanOrEqual(before);
    expect(delayedDue).toBe((instantDue ?? 0) + 3000);

    const [instantId, delayedId] = messages.map(({ id }) => id) as [string, string];
    expect(instantId).toMatch(UUID);
    expect(delayedId).not.toBe(instantId);
    const instant = (await app.instant()).find(({ id }) => id === instantId);
    const delayed = await app.stores.schedule.find(delayedId);
    expect(instant).toMatchObject({ channel, format: 'json', createdAt: instantDue });
    expect(instant?.dueAt).toBeUndefined();
    expect(delayed).toMatchObject({ channel, format: 'json', createdAt: instantDue, dueAt: delayedDue });
    for (const message of [instant, delayed]) expect(message?.data.toString()).toBe('{"id":"Hello"}');
  });

  it.each([
    ['white space', ' {\t"b" : 1.0,\r\n "a":1e2 }\n'],
    ['repeated names', '{"a":1,"a":2}'],
    ['names that are dangerous in JavaScript', '{"__proto__":{"polluted":1},"constructor":{"prototype":{}}}'],
    ['escapes', String.raw`"\u00e9\/\ud83d\ude00\ud800"`],
    ['characters beyond ASCII', '{"größe":"😀\u2028"}'],
    ['numbers that JavaScript cannot represent', '[12345678901234567890.12345678901234567890,1e999]'],
    ['a bare value', 'null'],
  ])('forwards the body byte for byte: %s', async (_, body) => {
    const { messages } = await accepted(post('?lanes=instant,delayed', { body }));
    const instant = (await app.instant()).find(({ id }) => id === messages[0]?.id);
    const delayed = await app.stores.schedule.find(messages[1]?.id ?? '');
    expect(instant?.data).toEqual(Buffer.from(body));
    expect(delayed?.data).toEqual(Buffer.from(body));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('creates only the requested copies, at the requested time', async () => {
    const deliverAt = new Date(Date.now() + 60_000).toISOString();
    expect((await accepted(post('?lanes=instant'))).messages.map(({ lane }) => lane)).toEqual(['instant']);
    const at = await accepted(post(`?lanes=delayed&deliverAt=${deliverAt}`));
    expect(at.messages).toMatchObject([{ lane: 'delayed', dueAt: deliverAt }]);
    const after = await accepted(post('?lanes=delayed&delay=PT1M30S'));
    const message = await app.stores.schedule.find(after.messages[0]?.id ?? '');
    expect(message?.dueAt).toBe((message?.createdAt ?? 0) + 90_000);
  });

  it('forwards the expiry and the trace context', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { messages } = await accepted(post('?expiresIn=PT1M', { headers: { ...BELL, traceparent } }));
    const instant = (await app.instant()).find(({ id }) => id === messages[0]?.id);
    const delayed = await app.stores.schedule.find(messages[1]?.id ?? '');
    for (const message of [instant, delayed])
      expect(message).toMatchObject({ traceparent, expiresAt: (message?.createdAt ?? 0) + 60_000 });
    const invalid = await accepted(post('', { headers: { ...BELL, traceparent: 'none' } }));
    expect((await app.stores.schedule.find(invalid.messages[1]?.id ?? ''))?.traceparent).toBeUndefined();
  });

  it('pushes to others with an API key in either header', async () => {
    const connection = newConnectionId();
    const bearer = { ...BELL, authorization: `Bearer ${API_KEY}` };
    expect((await accepted(post('?channel=news', { headers: { ...BELL, ...KEY } }))).channel).toBe('news');
    expect((await accepted(post('?user=42', { headers: bearer }))).channel).toBe(userChannel('42'));
    expect((await accepted(post(`?connection=${connection}`, { headers: bearer }))).channel).toContain(
      connection,
    );
    expect((await accepted(post('', { headers: bearer }))).channel).toBe(BELL_CHANNEL);
  });

  it('responds with the request id of the request, or with a new one', async () => {
    const given = await post('', { headers: { ...BELL, 'x-request-id': 'abc-1' } });
    expect(given.headers.get('x-request-id')).toBe('abc-1');
    const odd = await post('', { headers: { ...BELL, 'x-request-id': 'a b<c>' } });
    expect(odd.headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
  });
});

it.each(['application/json;charset=utf8', 'application/json; charset=UTF-8; profile="a;b"'])(
  'a body may have the type %s',
  async (type) => {
    const response = await post('', { headers: { ...BELL, 'content-type': type } });
    expect(response.status).toBe(202);
  },
);

describe('an error', () => {
  const long = 'x'.repeat(70_000);
  const segment = 'x'.repeat(600);

  it.each<[string, string, Call]>([
    ['400 empty_body', '', { body: '' }],
    ['400 empty_body', '', { headers: { 'user-agent': 'bell/1' }, body: Buffer.alloc(0) }],
    ['400 invalid_json', '', { body: 'Hello' }],
    ['400 invalid_json', '', { body: '\uFEFF{}' }],
    ['400 invalid_payload', '?channel=objects:a', { headers: { ...BELL, ...KEY }, body: '[1]' }],
    ['400 invalid_utf8', '', { body: Buffer.from([0x22, 0xff, 0x22]) }],
    ['400 json_too_deep', '', { body: '['.repeat(9) + ']'.repeat(9) }],
    ['413 body_too_large', '', { body: JSON.stringify(long) }],
    ['415 unsupported_media_type', '', { headers: { ...BELL, 'content-type': 'text/plain' } }],
    ['415 unsupported_media_type', '', { headers: { ...BELL, 'content-type': 'nonsense' } }],
    [
      '415 unsupported_media_type',
      '',
      { headers: { ...BELL, 'content-type': 'application/json; charset=latin1' } },
    ],
    ['415 unsupported_media_type', '', { headers: { ...BELL, 'content-encoding': 'gzip' } }],
    ['400 unknown_parameter', '?dealy=1', {}],
    ['400 unknown_parameter', '?__proto__=1', {}],
    ['400 repeated_parameter', '?delay=1&delay=2', {}],
    ['400 conflicting_parameters', '?delay=1&deliverAt=2030-01-31T09:00:00Z', {}],
    ['400 conflicting_parameters', '?lanes=instant&delay=1', {}],
    ['400 conflicting_parameters', '?channel=a&user=b', { headers: { ...BELL, ...KEY } }],
    ['400 invalid_lanes', '?lanes=slow', {}],
    ['400 invalid_delay', '?delay=soon', {}],
    ['400 delay_negative', '?delay=-1', {}],
    ['400 delay_negative', '?delay=-PT3S', {}],
    ['400 delay_too_long', '?delay=P31D', {}],
    ['400 delay_too_long', '?deliverAt=9999-01-01T00:00:00Z', {}],
    ['400 invalid_deliver_at', '?deliverAt=tomorrow', {}],
    ['400 deliver_at_in_past', '?deliverAt=2020-01-01T00:00:00Z', {}],
    ['400 invalid_expires_in', '?expiresIn=0', {}],
    ['400 expires_before_due', '?delay=2000&expiresIn=2000', {}],
    ['400 invalid_target', '?channel=~user:42', { headers: { ...BELL, ...KEY } }],
    ['400 invalid_target', '?connection=1', { headers: { ...BELL, ...KEY } }],
    ['400 invalid_idempotency_key', '', { headers: { ...BELL, 'idempotency-key': 'two words' } }],
    ['400 invalid_idempotency_key', '', { headers: { ...BELL, 'idempotency-key': 'x'.repeat(256) } }],
    ['401 unauthorized', '?channel=news', {}],
    ['401 unauthorized', '?user=42', { headers: { ...BELL, 'x-api-key': `${API_KEY}x` } }],
    ['401 unauthorized', '', { headers: { ...BELL, authorization: 'Bearer wrong' } }],
    ['404 not_found', 's', {}],
  ])('is %s for POST /trigger%s', async (expected, query, init) => {
    expect(await refused(post(query, init))).toBe(expected);
  });

  it.each([
    ['405 method_not_allowed', 'GET', '/trigger'],
    ['405 method_not_allowed', 'PUT', '/trigger?lanes=instant'],
    ['405 method_not_allowed', 'POST', '/schedules'],
    ['405 method_not_allowed', 'PUT', '/schedules/1'],
    ['404 not_found', 'GET', '/'],
    ['404 not_found', 'GET', '/nowhere'],
    ['400 malformed_request', 'GET', '/schedules/%ff'],
    ['414 uri_too_long', 'GET', `/schedules/${segment}`],
    ['400 unknown_parameter', 'GET', '/schedules/1?expand=data'],
    ['400 invalid_limit', 'GET', '/schedules?limit=0'],
    ['400 invalid_cursor', 'GET', '/schedules?cursor=made-up'],
    ['400 invalid_cursor', 'GET', `/schedules?cursor=${writeCursor('dead-letters', '0198c1f0')}`],
    ['401 unauthorized', 'GET', '/schedules?channel=news'],
    ['404 unknown_schedule', 'GET', '/schedules/1'],
    ['404 unknown_schedule', 'DELETE', '/schedules/constructor'],
  ])('is %s for %s %s', async (expected, method, path) => {
    expect(await refused(call(method, path, { headers: { 'user-agent': 'bell/1' } }))).toBe(expected);
  });

  it('names the supported methods and the authentication scheme', async () => {
    expect((await call('GET', '/trigger')).headers.get('allow')).toBe('POST');
    expect((await call('PUT', '/schedules/1')).headers.get('allow')).toBe('DELETE, GET, HEAD, PATCH');
    expect(
      (await post('', { headers: { ...BELL, ...KEY, 'x-api-key': '?' } })).headers.get('www-authenticate'),
    ).toBe('Bearer');
  });

  it.each([
    ['431 headers_too_large', `GET /schedules HTTP/1.1\r\nHost: x\r\nX-Long: ${long}\r\n\r\n`],
    ['400 malformed_request', 'HELLO\r\n\r\n'],
    ['400 malformed_request', 'POST /trigger HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n'],
    ['400 malformed_request', 'GET /schedules/%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['414 uri_too_long', `GET /schedules/${segment} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`],
  ])('has the same format, and is counted, before the request is routed: %s', async (expected, request) => {
    const [status, code = ''] = expected.split(' ');
    const before = await errorsWith(code);
    const [head, body] = (await raw(request)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(body).toMatch(new RegExp(`^\\{"error":\\{"code":"${code}",`));
    expect(await errorsWith(code)).toBe(before + 1);
  });

  it('is sent if a request does not arrive in time, and is counted once', async () => {
    await using slow = await TriggerApp.start({ http: { requestTimeoutMs: 100 } });
    const counts = () => Promise.all(['request_timeout', 'internal_error'].map(errorsWith));
    const [timeouts = 0, others] = await counts();
    const stalled =
      'POST /trigger HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
    expect(await raw(stalled, slow)).toMatch(/^HTTP\/1\.1 408 [^]*"code":"request_timeout"/);
    expect(await counts()).toEqual([timeouts + 1, others]);
  });

  it('ends a request that timed out, even if the caller sends the rest of it', async () => {
    await using slow = await TriggerApp.start({ http: { requestTimeoutMs: 100 } });
    const caller = createConnection({ port: slow.port, host: '127.0.0.1', allowHalfOpen: true });
    caller.on('error', () => {});
    caller.write(
      'POST /trigger?lanes=delayed HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{',
    );
    expect(await text(caller)).toMatch(/^HTTP\/1\.1 408 /);
    caller.end('}');
    await once(caller, 'close');
    const { messages } = await accepted(post('?lanes=delayed', {}, slow));
    expect((await slow.delayed()).map(({ id }) => id)).toEqual([messages[0]?.id]);
  });

  it('is not counted as internal if the caller disconnects in the middle of its request', async () => {
    const before = await errorsWith('internal_error');
    const caller = createConnection(app.port, '127.0.0.1');
    caller.write(
      'POST /trigger HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n{',
    );
    // Sent when the request is routed.
    expect(String(await once(caller, 'data'))).toContain('100 Continue');
    caller.destroy();
    await accepted(post(''));
    expect(await errorsWith('internal_error')).toBe(before);
  });

  it('says when to retry if an address sends too many requests', async () => {
    await using busy = await TriggerApp.start({ trigger: { rateLimit: { perSecond: 0.01, burst: 2 } } });
    await accepted(post('', {}, busy));
    await accepted(post('', { headers: { ...BELL, 'user-agent': 'another' } }, busy));
    const response = await post('', {}, busy);
    const retryAfter = Number(response.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(80);
    expect(retryAfter).toBeLessThanOrEqual(100);
    expect(await refused(response)).toBe('429 rate_limited');
    await accepted(post('', { headers: { ...BELL, ...KEY } }, busy));
  });

  it('names the setting if no API key is configured', async () => {
    await using open = await TriggerApp.start({ trigger: { apiKeys: [] } });
    for (const headers of [BELL, { ...BELL, ...KEY }])
      expect(await refused(post('?channel=news', { headers }, open))).toBe('403 api_key_not_configured');
    await accepted(post('', { headers: { ...BELL, authorization: 'Bearer for-another-system' } }, open));
  });

  it('leaves nothing queued', async () => {
    await using fresh = await TriggerApp.start();
    await fresh.consume();
    const key = { ...BELL, 'idempotency-key': 'refused' };
    for (const [query, init] of [
      ['', { headers: key, body: '{' }],
      ['?delay=-1', { headers: key }],
      ['?deliverAt=2020-01-01T00:00:00Z', { headers: key }],
      ['?delay=2000&expiresIn=1000', { headers: key }],
      ['?channel=news', { headers: key }],
    ] as const)
      expect((await post(query, init, fresh)).ok).toBe(false);
    expect(await fresh.instant()).toEqual([]);
    expect(await fresh.delayed()).toEqual([]);
    // The key can still be used.
    await accepted(post('', { headers: key }, fresh));
  });
});

describe('the metrics', () => {
  it.each([
    ['carillon_trigger_requests_total', { outcome: 'accepted' }, ''],
    ['carillon_trigger_requests_total', { outcome: 'refused' }, '?deliverAt=2020-01-01T00:00:00Z'],
    ['carillon_http_errors_total', { code: 'delay_negative' }, '?delay=-1'],
  ])('%s counts %j', async (name, labels, query) => {
    const before = await valueOf(name, labels);
    await post(query);
    expect(await valueOf(name, labels)).toBe(before + 1);
  });

  it.each([
    ['unauthorized', 'POST', '/api/publish', JSON_TYPE],
    ['invalid_json', 'POST', '/api/publish', KEY],
    ['method_not_allowed', 'GET', '/api/publish', KEY],
    ['not_found', 'POST', '/api/nothing', KEY],
  ])(
    'count %s for a request to the server API that contains no command',
    async (code, method, path, headers) => {
      const before = await errorsWith(code);
      await call(method, path, { headers });
      expect(await errorsWith(code)).toBe(before + 1);
    },
  );
});

describe('behind a proxy', () => {
  it('identifies the client by X-Forwarded-For of a trusted proxy only', async () => {
    const forwarded = { ...BELL, 'x-forwarded-for': '198.51.100.1' };
    await using allowing = await TriggerApp.start({ allowUntrustedProxies: true });
    expect((await accepted(post('', { headers: forwarded }, allowing))).channel).toBe(BELL_CHANNEL);
    await using proxied = await TriggerApp.start({ trustedProxies: ['loopback'] });
    expect((await accepted(post('', { headers: forwarded }, proxied))).channel).toBe(
      identityChannel('bell/1', '198.51.100.1'),
    );
  });
});

describe('behind a proxy that is not trusted', () => {
  it.each([['x-forwarded-for'], ['forwarded']])('refuses what depends on the sender: %s', async (header) => {
    const hidden = { ...BELL, [header]: 'for=198.51.100.1' };
    const keyed = { ...hidden, ...KEY };
    expect(await refused(post('', { headers: hidden }))).toBe('403 untrusted_proxy');
    expect(await refused(post('', { headers: keyed }))).toBe('403 untrusted_proxy');
    expect(await refused(call('GET', '/schedules', { headers: hidden }))).toBe('403 untrusted_proxy');
    expect(await refused(call('GET', '/schedules/1', { headers: hidden }))).toBe('403 untrusted_proxy');
    await accepted(post('?channel=news', { headers: keyed }));
    expect((await call('GET', '/schedules', { headers: keyed })).status).toBe(200);
  });
});

describe('Idempotency-Key', () => {
  const withKey = (key: string, more: Record<string, string> = {}) => ({
    headers: { ...BELL, 'idempotency-key': key, ...more },
  });

  it('returns the same response again and has no further effect', async () => {
    const first = await post('', withKey('again'));
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    const answer = await accepted(Promise.resolve(first));
    const second = await post('', withKey('again'));
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(await accepted(Promise.resolve(second))).toEqual(answer);
    const [instantId, delayedId] = answer.messages.map(({ id }) => id);
    expect((await app.instant()).filter(({ id }) => id === instantId)).toHaveLength(1);
    expect((await app.delayed()).filter(({ id }) => id === delayedId)).toHaveLength(1);
  });

  it('returns it even if the requested time has passed', async () => {
    const deliverAt = Date.now() + 3_000;
    const query = `?deliverAt=${new Date(deliverAt).toISOString()}`;
    const first = await accepted(post(query, withKey('in-time')));
    await delay(deliverAt + 1 - Date.now());
    expect(await refused(post(query))).toBe('400 deliver_at_in_past');
    expect(await accepted(post(query, withKey('in-time')))).toEqual(first);
  });

  it('is refused for a different request', async () => {
    await accepted(post('', withKey('one')));
    expect(await refused(post('', { ...withKey('one'), body: '{"id":"Bye"}' }))).toBe(
      '422 idempotency_key_reused',
    );
    expect(await refused(post('?delay=1', withKey('one')))).toBe('422 idempotency_key_reused');
  });

  it('belongs to its caller', async () => {
    const mine = await accepted(post('', withKey('ours')));
    const theirs = await accepted(post('', withKey('ours', { 'user-agent': 'other' })));
    const backend = await accepted(post('', withKey('ours', KEY)));
    expect(new Set([mine, theirs, backend].map(({ messages }) => messages[0]?.id)).size).toBe(3);
  });

  it('makes concurrent requests have one effect', async () => {
    const responses = await Promise.all(Array.from({ length: 30 }, () => post('', withKey('at-once'))));
    expect(responses.filter(({ headers }) => !headers.has('idempotency-replayed'))).toHaveLength(1);
    const answers = await Promise.all(responses.map((each) => accepted(Promise.resolve(each))));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const ids = answers[0]?.messages.map(({ id }) => id);
    expect((await app.delayed()).filter(({ id }) => id === ids?.[1])).toHaveLength(1);
  });
});

describe('/schedules', () => {
  const idOf = async (response: Promise<Response>) => (await accepted(response)).messages[0]?.id ?? '';
  const schedule = (query: string, init: Call = {}) => idOf(post(`?lanes=delayed&${query}`, init));

  it('returns a scheduled message with its data byte for byte', async () => {
    const id = await schedule('delay=PT1H&expiresIn=P1D', { body: '{"n": 1.0}' });
    const response = await call('GET', `/schedules/${id}`);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const shown = await response.text();
    expect(shown).toContain('"data":{"n": 1.0}}');
    const { createdAt, dueAt, expiresAt } = JSON.parse(shown) as Record<string, string>;
    expect(Date.parse(dueAt ?? '') - Date.parse(createdAt ?? '')).toBe(3_600_000);
    expect(Date.parse(expiresAt ?? '') - Date.parse(createdAt ?? '')).toBe(86_400_000);
  });

  it('reschedules a message', async () => {
    const id = await schedule('delay=PT1H');
    const later = new Date(Date.now() + 7_200_000).toISOString();
    const moved = await call('PATCH', `/schedules/${id}`, { body: JSON.stringify({ deliverAt: later }) });
    expect(moved.status).toBe(200);
    expect(((await moved.json()) as Schedule).dueAt).toBe(later);
    expect((await app.stores.schedule.find(id))?.dueAt).toBe(Date.parse(later));
    const before = Date.now();
    for (const body of ['{"delay":60000}', '{"delay":"PT1M"}'])
      expect((await call('PATCH', `/schedules/${id}`, { body })).status).toBe(200);
    const { dueAt = 0 } = (await app.stores.schedule.find(id)) ?? {};
    expect(dueAt).toBeGreaterThanOrEqual(before + 60_000);
    expect(dueAt).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  it.each([
    ['400 unknown_field', '{"delay":1,"lanes":"instant"}'],
    ['400 unknown_field', '{"__proto__":{},"delay":1}'],
    ['400 conflicting_parameters', '{}'],
    ['400 conflicting_parameters', '{"delay":1,"deliverAt":"2030-01-31T09:00:00Z"}'],
    ['400 invalid_body', '[]'],
    ['400 invalid_json', '{'],
    ['400 empty_body', ''],
    ['400 invalid_delay', '{"delay":true}'],
    ['400 delay_negative', '{"delay":-1}'],
    ['400 delay_too_long', '{"delay":"P31D"}'],
    ['400 invalid_deliver_at', '{"deliverAt":0}'],
    ['400 deliver_at_in_past', '{"deliverAt":"2020-01-01T00:00:00Z"}'],
    ['400 expires_before_due', '{"delay":"PT2H"}'],
  ])('refuses to reschedule with %s: %s', async (expected, body) => {
    const id = await schedule('delay=PT1H&expiresIn=PT90M');
    const before = await app.stores.schedule.find(id);
    expect(await refused(call('PATCH', `/schedules/${id}`, { body }))).toBe(expected);
    expect(await app.stores.schedule.find(id)).toEqual(before);
  });

  it('cancels a message', async () => {
    const id = await schedule('delay=PT1H');
    const cancelled = await call('DELETE', `/schedules/${id}`);
    expect(cancelled.status).toBe(204);
    expect(await cancelled.text()).toBe('');
    expect(await refused(call('GET', `/schedules/${id}`))).toBe('404 unknown_schedule');
    expect(await refused(call('DELETE', `/schedules/${id}`))).toBe('404 unknown_schedule');
  });

  it('does not change a message that is due', async () => {
    // No consumer takes due messages from the schedule of this application, so the message stays.
    const id = await schedule('delay=0');
    expect(await refused(call('DELETE', `/schedules/${id}`))).toBe('409 schedule_already_due');
    expect(await refused(call('PATCH', `/schedules/${id}`, { body: '{"delay":1}' }))).toBe(
      '409 schedule_already_due',
    );
  });

  it('hides messages to others from a caller without a key', async () => {
    const id = await schedule('delay=PT1H');
    const other = { ...BELL, 'user-agent': 'other' };
    const move = { headers: other, body: '{"delay":1}' };
    expect(await refused(call('GET', `/schedules/${id}`, { headers: other }))).toBe('404 unknown_schedule');
    expect(await refused(call('PATCH', `/schedules/${id}`, move))).toBe('404 unknown_schedule');
    expect(await refused(call('DELETE', `/schedules/${id}`, { headers: other }))).toBe(
      '404 unknown_schedule',
    );
    const backend = { headers: { ...other, ...KEY } };
    expect((await call('GET', `/schedules/${id}`, backend)).status).toBe(200);
    expect((await call('DELETE', `/schedules/${id}`, backend)).status).toBe(204);
  });

  it('lists in pages the messages that the caller may see', async () => {
    await using own = await TriggerApp.start();
    const list = async (query: string, headers: Record<string, string> = BELL) => {
      const response = await call('GET', `/schedules${query}`, { headers }, own);
      expect(response.status).toBe(200);
      return (await response.json()) as { schedules: Schedule[]; next?: string };
    };
    const push = (query: string, headers: Record<string, string> = BELL) =>
      idOf(post(`?lanes=delayed&${query}`, { headers }, own));
    const backend = { ...BELL, ...KEY };
    const mine = [await push('delay=PT3H'), await push('delay=PT1H'), await push('delay=PT2H')];
    const theirs = await push('delay=PT90M', { ...BELL, 'user-agent': 'other' });
    const news = await push('delay=PT150M&channel=news', backend);
    const user = await push('delay=PT30M&user=42', backend);

    const first = await list('?limit=2');
    expect(first.schedules.map(({ id }) => id)).toEqual([mine[1], mine[2]]);
    expect(first.schedules[0]).toMatchObject({ channel: BELL_CHANNEL });
    expect(first.schedules[0]).not.toHaveProperty('data');
    const second = await list(`?limit=2&cursor=${first.next}`);
    expect(second.schedules.map(({ id }) => id)).toEqual([mine[0]]);
    expect(second.next).toBeUndefined();

    const ids = async (query: string) => (await list(query, backend)).schedules.map(({ id }) => id);
    expect(await ids('')).toEqual([user, mine[1], theirs, mine[2], news, mine[0]]);
    expect(await ids('?channel=news')).toEqual([news]);
    expect(await ids('?user=42')).toEqual([user]);
  });
});
