/** A server whose proxies ask the callback service of another one, with the configuration that `docs/callbacks.md` shows. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Centrifuge } from 'centrifuge';
import { WebSocket } from 'ws';
import { sign } from '../../support/centrifugo-app.js';
import { Server } from '../../support/server.js';

const DOCUMENT = resolve(import.meta.dirname, '../../../docs/callbacks.md');
const API_KEY = 'an-api-key-of-your-own';
const SECRET = 'the-secret-of-the-tokens';

let backend: Server;
let front: Server;
let directory: string;
const clients: Centrifuge[] = [];

beforeAll(async () => {
  backend = await Server.start({
    env: { CARILLON_API_KEY: API_KEY, CENTRIFUGO_TOKEN_HMAC_SECRET_KEY: SECRET },
    args: [
      '--callbacks.enabled=true',
      '--delivery.channels.withoutNamespace.allowSubscribeForClient=true',
      '--delivery.channels.withoutNamespace.allowPublishForClient=true',
      '--delivery.channels.namespaces=[{"name":"closed"}]',
    ],
  });
  const [, shown = ''] = /```json\n([^`]*"proxy"[^`]*)```/.exec(readFileSync(DOCUMENT, 'utf8')) ?? [];
  const config = JSON.parse(shown.replaceAll('http://localhost:3000', backend.url)) as {
    channel: Record<string, unknown>;
  };
  config.channel['namespaces'] = [
    { name: 'closed', subscribe_proxy_enabled: true, publish_proxy_enabled: true },
  ];
  directory = mkdtempSync(join(tmpdir(), 'carillon-callbacks-'));
  const file = join(directory, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  front = await Server.start({ args: ['--config', file], env: { CARILLON_GATEWAY_ALLOWEDORIGINS: '["*"]' } });
});

afterAll(async () => {
  for (const client of clients) client.disconnect();
  await front?.[Symbol.asyncDispose]();
  await backend?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

function open(data: unknown): Centrifuge {
  const url = `${front.url.replace('http', 'ws')}/connection/websocket`;
  const client = new Centrifuge(url, { websocket: WebSocket, data });
  clients.push(client);
  client.on('error', () => {});
  return client;
}

async function connected(user: string): Promise<Centrifuge> {
  const client = open({ token: sign({ sub: user }, SECRET) });
  client.connect();
  await client.ready(10_000);
  return client;
}

it('connects a client by the token in its data, and refuses one without', async () => {
  await connected('42');
  const stranger = open({});
  const disconnected = once(stranger as never, 'disconnected') as Promise<[{ code: number }]>;
  stranger.connect();
  expect((await disconnected)[0]).toMatchObject({ code: 101 });
});

it('lets clients subscribe and publish by the rules of the backend', async () => {
  const [alice, bob] = [await connected('alice'), await connected('bob')];
  const subscription = bob.newSubscription('news');
  const received = once(subscription as never, 'publication') as Promise<[{ data: unknown }]>;
  subscription.subscribe();
  await subscription.ready(10_000);
  await alice.publish('news', { text: 'hello' });
  expect((await received)[0].data).toEqual({ text: 'hello' });

  const refused = alice.newSubscription('closed:a');
  const unsubscribed = once(refused as never, 'unsubscribed') as Promise<[{ code: number }]>;
  refused.subscribe();
  expect((await unsubscribed)[0].code).toBe(103);
  await expect(alice.publish('closed:a', 1)).rejects.toMatchObject({ code: 103 });
});

it('counts the callbacks', async () => {
  const text = await (await fetch(`${backend.url}/metrics`, { headers: { 'x-api-key': API_KEY } })).text();
  for (const [step, outcome] of [
    ['connect', 'allowed'],
    ['connect', 'refused'],
    ['subscribe', 'allowed'],
    ['subscribe', 'refused'],
    ['publish', 'allowed'],
    ['publish', 'refused'],
  ])
    expect(text).toMatch(
      new RegExp(`^carillon_callbacks_total\\{step="${step}",outcome="${outcome}"\\} [1-9]`, 'm'),
    );
});
