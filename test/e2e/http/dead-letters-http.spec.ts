import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RetryRecord } from '../../../src/bus/index.js';
import { newMessageId } from '../../../src/message/index.js';
import { API_KEY, TriggerApp } from '../../support/trigger-app.js';

interface Listed {
  readonly deadLetters: readonly { readonly id: string; readonly group: string; readonly reason: object }[];
  readonly next?: string;
}

let app: TriggerApp;

beforeAll(async () => {
  app = await TriggerApp.start();
});

afterAll(() => app[Symbol.asyncDispose]());

function ask(path: string, method = 'GET', key: string | undefined = API_KEY): Promise<Response> {
  return fetch(`${app.url}/dead-letters${path}`, {
    method,
    headers: key === undefined ? {} : { 'x-api-key': key },
  });
}

async function list(query: string): Promise<Listed> {
  const answer = await ask(query);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Listed;
}

/** Creates dead letters of a group, as consumers do. */
async function addDeadLetters(
  group: string,
  count: number,
  more: Partial<RetryRecord> = {},
): Promise<string[]> {
  const records = Array.from({ length: count }, (): RetryRecord => {
    const [id, now] = [newMessageId(), Date.now()];
    const place = { driver: 'memory', topic: 'orders', partition: 0, position: id } as const;
    const value = Buffer.from('{"n": 1.0}');
    const state = { state: 'waiting', dueAt: now, attempts: 3, givenUp: true } as const;
    const failure = { code: 'handler_failed', message: 'no' };
    return { id, group, ...place, headers: {}, value, publishedAt: now, ...state, failure, ...more };
  });
  await app.retryStore.add(records, 1_000);
  let left = count;
  const finished = Promise.withResolvers<void>();
  const consumer = await app.retryStore.consume(group, { concurrency: 1 }, async () => {
    if (--left === 0) finished.resolve();
    return { kind: 'dead' };
  });
  await finished.promise;
  await consumer.close();
  return records.map(({ id }) => id);
}

describe('/dead-letters', () => {
  it('requires an API key', async () => {
    const [id = ''] = await addDeadLetters('g-key', 1);
    for (const [path, method] of [
      ['', 'GET'],
      [`/${id}`, 'GET'],
      [`/${id}/redrive`, 'POST'],
      ['/redrive?group=g-key', 'POST'],
      [`/${id}`, 'DELETE'],
    ] as const) {
      for (const key of ['', 'a-wrong-key-for-the-tests']) {
        const answer = await fetch(`${app.url}/dead-letters${path}`, {
          method,
          headers: key === '' ? {} : { 'x-api-key': key },
        });
        expect([path, answer.status]).toEqual([path, 401]);
      }
    }
    expect((await list('?group=g-key')).deadLetters).toHaveLength(1);
  });

  it('lists dead letters in pages, by group and topic', async () => {
    const ids = await addDeadLetters('g-list', 5);
    const others = await addDeadLetters('g-list', 1, { topic: 'else' });
    const first = await list('?group=g-list&topic=orders&limit=3');
    const second = await list(`?group=g-list&topic=orders&limit=3&cursor=${first.next}`);
    expect([...first.deadLetters, ...second.deadLetters].map(({ id }) => id)).toEqual(ids.toSorted());
    expect(second.next).toBeUndefined();
    expect((await list('?topic=else')).deadLetters.map(({ id }) => id)).toEqual(others);
    expect(first.deadLetters[0]).toMatchObject({
      group: 'g-list',
      event: 'orders',
      attempts: 3,
      reason: { code: 'handler_failed', message: 'no' },
    });
  });

  it('returns one with its body byte for byte, or in base64', async () => {
    const [json = ''] = await addDeadLetters('g-find', 1);
    const [binary = ''] = await addDeadLetters('g-find', 1, { value: Buffer.from([0xff, 0]) });
    expect(await (await ask(`/${json}`)).text()).toContain('"data":{"n": 1.0}');
    expect(await (await ask(`/${binary}`)).json()).toMatchObject({ base64: '/wA=' });
  });

  it('redrives one, or those of a group up to a limit, and drops one', async () => {
    const [id = '', dropped = ''] = await addDeadLetters('g-drive', 2);
    expect(await (await ask(`/${id}/redrive`, 'POST')).json()).toEqual({ redriven: 1 });
    expect((await ask(`/${id}/redrive`, 'POST')).status).toBe(404);
    expect((await ask(`/${id}`)).status).toBe(404);
    expect((await ask(`/${dropped}`, 'DELETE')).status).toBe(204);
    expect((await ask(`/${dropped}`, 'DELETE')).status).toBe(404);

    await addDeadLetters('g-drive-all', 3);
    const redrive = () => ask('/redrive?group=g-drive-all&limit=2', 'POST').then((answer) => answer.json());
    expect([await redrive(), await redrive(), await redrive()]).toEqual([
      { redriven: 2 },
      { redriven: 1 },
      { redriven: 0 },
    ]);
  });

  it.each([
    ['?limit=0', 'GET', 'invalid_limit'],
    ['?cursor=x', 'GET', 'invalid_cursor'],
    ['?colour=red', 'GET', 'unknown_parameter'],
    ['/redrive', 'POST', 'conflicting_parameters'],
    ['/unknown', 'GET', 'unknown_dead_letter'],
  ])('refuses %s', async (path, method, code) => {
    const answer = await ask(path, method);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });
});
