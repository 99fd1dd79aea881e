import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RetryRecord } from '../../../src/bus/index.js';
import { newMessageId } from '../../../src/message/index.js';
import { API_KEY, TriggerApp } from '../../support/trigger-app.js';

const run = promisify(execFile);
const document = readFileSync(resolve('docs/http-api.md'), 'utf8');

/** Each command of the document with the response that follows it, if there is one. */
const examples = [...document.matchAll(/```bash\n([^]*?)```\n(?:\n```json\n([^]*?)```)?/g)].map(
  ([, command = '', answer]) => ({ title: command.replaceAll(/\s+/g, ' '), command, answer }),
);

let app: TriggerApp;

beforeAll(async () => {
  const chat = { name: 'chat', presence: true, historySize: 10, historyTtlMs: 60_000 };
  app = await TriggerApp.start({ delivery: { channels: { namespaces: [chat] } } });
});

afterAll(() => app[Symbol.asyncDispose]());

/** Returns names and types without values, because ids and times differ from run to run. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, shapeOf(child)]));
}

async function schedule(): Promise<string> {
  const response = await fetch(`${app.url}/trigger?lanes=delayed&delay=PT1H`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'my-client' },
    body: '{"id":"Later"}',
  });
  const { messages } = (await response.json()) as { messages: { id: string }[] };
  return messages[0]?.id ?? '';
}

/** Creates a dead letter, as a consumer does whose attempts have all failed. */
async function addDeadLetter(): Promise<string> {
  const id = newMessageId();
  const failedAt = Date.now();
  const record: RetryRecord = {
    id,
    group: 'task-daily',
    driver: 'kafka',
    topic: 'live',
    partition: 3,
    position: '1742',
    key: 'anchor-7',
    headers: { 'carillon-event': 'anchor-income' },
    value: Buffer.from('{"anchor":7,"income":120}'),
    publishedAt: failedAt,
    state: 'waiting',
    dueAt: failedAt,
    attempts: 5,
    givenUp: true,
    failure: { code: 'handler_failed', message: 'the ledger does not know anchor 7' },
    firstFailedAt: failedAt,
    lastFailedAt: failedAt,
  };
  await app.retryStore.add([record], 1_000);
  const finished = Promise.withResolvers<void>();
  const consumer = await app.retryStore.consume(record.group, { concurrency: 1 }, async (each) => {
    if (each.id === id) finished.resolve();
    return { kind: 'dead' };
  });
  await finished.promise;
  await consumer.close();
  return id;
}

describe('docs/http-api.md', () => {
  it('has examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(10);
  });

  it.each(examples)('$title', async ({ command, answer }) => {
    const script = command.replaceAll('http://localhost:3000', app.url);
    const ids = { ID: await schedule(), DEAD_LETTER: await addDeadLetter() };
    const env = { ...process.env, CARILLON_API_KEY: API_KEY, ...ids };
    const { stdout } = await run('bash', ['-euc', script], { env });
    const expected = answer ?? (command.includes('DELETE') ? undefined : stdout);
    expect(stdout === '' ? undefined : shapeOf(JSON.parse(stdout))).toEqual(
      expected === undefined ? undefined : shapeOf(JSON.parse(expected)),
    );
    // Only the example of an error has an error response.
    expect(stdout.includes('"error"')).toBe(answer?.includes('"error"') ?? false);
  });
});

describe('the OpenAPI document', () => {
  interface Operation {
    readonly parameters?: readonly { readonly name: string }[];
    readonly responses: Readonly<Record<string, unknown>>;
    readonly tags: readonly string[];
  }
  interface OpenApi {
    readonly info: { readonly version: string };
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, object>> };
  }

  it('lists every operation with its parameters and responses', async () => {
    const { info, paths, components } = (await (await fetch(`${app.url}/docs/json`)).json()) as OpenApi;
    expect(
      Object.keys(paths)
        .filter((path) => !/^\/(health|metrics|api)/.test(path))
        .toSorted(),
    ).toEqual([
      '/dead-letters',
      '/dead-letters/redrive',
      '/dead-letters/{id}',
      '/dead-letters/{id}/redrive',
      '/schedules',
      '/schedules/{id}',
      '/trigger',
    ]);
    expect(Object.keys(paths).filter((path) => path.startsWith('/api/'))).toHaveLength(14);
    const publish = JSON.stringify(paths['/api/publish']?.['post']);
    for (const name of ['channel', 'b64data', 'skip_history', 'deliver_at', 'via'])
      expect(publish).toContain(`"${name}"`);
    const push = paths['/trigger']?.['post'];
    expect(push?.parameters?.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['lanes', 'delay', 'deliverAt', 'expiresIn', 'channel', 'user', 'connection']),
    );
    expect(Object.keys(push?.responses ?? {})).toEqual(
      expect.arrayContaining(['202', '400', '401', '403', '413', '415', '422', '429', '503']),
    );
    expect(info.version).toBe('1.2.3');
    for (const operation of Object.values(paths).flatMap((path) => Object.values(path)))
      expect(operation.tags).toHaveLength(1);
    const references = JSON.stringify(paths).matchAll(/"#\/components\/schemas\/(\w+)"/g);
    for (const [, id = ''] of references) expect(components.schemas).toHaveProperty(id);
    expect(components.schemas['Reschedule']).toMatchObject({
      additionalProperties: false,
      properties: { delay: {}, deliverAt: { type: 'string' } },
    });
  });

  it('has a page to try it out', async () => {
    const page = await fetch(`${app.url}/docs`);
    expect(page.status).toBe(200);
    const html = await page.text();
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => `${app.url}${path}`);
    expect(assets.length).toBeGreaterThan(2);
    for (const asset of assets) expect((await fetch(asset)).status).toBe(200);
  });

  it('forbids its page to load anything from other servers, and to be shown in a frame', async () => {
    const { headers } = await fetch(`${app.url}/docs`);
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(headers.get('x-frame-options')).toBe('DENY');
  });
});
