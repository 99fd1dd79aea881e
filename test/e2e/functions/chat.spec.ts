/** The chat of `examples/chat-functions` in a real Chromium. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { isInstalled } from '../../../scripts/brokers/cache.js';
import { freePort } from '../../../scripts/brokers/ports.js';
import { describeWithOwn, type RunningBroker, startRedis } from '../../support/brokers.js';
import { describeWithBrowser, startBrowser } from '../../support/browser.js';
import { ChatFunctions, chatSecrets } from '../../support/chat-functions.js';
import { ChatWindow } from '../../support/chat-window.js';
import { describeGiven } from '../../support/gate.js';
import { RawClient, Server } from '../../support/server.js';

const { CARILLON_API_KEY, PUSH_SECRET } = chatSecrets;

describeWithBrowser('The page of the chat', () => {
  let browser: Browser;
  let directory: string;
  const windows: ChatWindow[] = [];
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'carillon-chat-'));
    browser = await startBrowser();
  });
  afterEach(async () => {
    await Promise.all(windows.splice(0).map((window) => window.close()));
  });
  afterAll(async () => {
    await (browser as Browser | undefined)?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(url: string, options?: BrowserContextOptions): Promise<ChatWindow> {
    const window = await ChatWindow.open(browser, url, options);
    windows.push(window);
    return window;
  }

  /** Starts Carillon with the functions that were started for this port. */
  async function serve(
    port: number,
    functions: ChatFunctions,
    env: Readonly<Record<string, string>> = {},
    origins?: readonly string[],
  ): Promise<Server> {
    const file = join(directory, `${port}.json`);
    writeFileSync(file, JSON.stringify(functions.configuration(origins)));
    return Server.start({ port, args: ['--config', file], env: { CARILLON_API_KEY, ...env } });
  }

  async function ids(server: Server): Promise<string[]> {
    const response = await fetch(`${server.url}/connections?route=chat`, {
      headers: { 'x-api-key': CARILLON_API_KEY },
    });
    const { connections } = (await response.json()) as { connections: { id: string }[] };
    return connections.map(({ id }) => id);
  }

  async function push(server: Server, websocket: object): Promise<number> {
    const response = await fetch(`${server.url}/push/chat/${PUSH_SECRET}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ websocket }),
    });
    return response.status;
  }

  describeWithOwn('redis', 'The page of the chat on three replicas, each with its own functions', () => {
    let redis: RunningBroker;
    let functions: ChatFunctions[] = [];
    let servers: Server[] = [];

    beforeAll(async () => {
      redis = await startRedis();
      const ports = [await freePort(), await freePort(), await freePort()];
      functions = await Promise.all(
        ports.map((port) => ChatFunctions.start('node', `http://127.0.0.1:${port}`)),
      );
      const origins = functions.map(({ url }) => url);
      servers = await Promise.all(
        ports.map((port, n) => serve(port, functions[n]!, { REDIS_URL: redis.url }, origins)),
      );
    });
    afterAll(async () => {
      await Promise.all([...servers, ...functions].map((each) => each[Symbol.asyncDispose]()));
      await (redis as RunningBroker | undefined)?.dispose();
    });

    const openOn = (n: number, options?: BrowserContextOptions) => open(functions[n]!.url, options);

    it('shows what others write, apart from what its user writes, and how many are online', async () => {
      const first = await openOn(0);
      await first.says('1 person online');
      const second = await openOn(1);
      const third = await RawClient.open(`ws://127.0.0.1:${servers[2]!.port}/chat`, {});
      for (const window of [first, second]) await window.says('3 people online');

      await first.send('hello');
      await second.shows('received', 'hello');
      await second.send('hello to you');
      await first.shows('received', 'hello to you');
      expect(await first.lines()).toEqual(['sent: hello', 'received: hello to you']);
      expect(await second.lines()).toEqual(['received: hello', 'sent: hello to you']);
      await third.until(() => third.received.some(({ text }) => text.startsWith('hello to you')));
      const texts = third.received.map(({ text }) => text).filter((text) => text.startsWith('hello'));
      expect(texts).toEqual(['hello(===Online people:3===)', 'hello to you(===Online people:3===)']);

      await third.close();
      for (const window of [first, second]) await window.says('2 people online');
      await second.close();
      await first.says('1 person online');
      expect([...first.errors, ...second.errors]).toEqual([]);
    });

    it('can be used with the keyboard alone, and keeps what cannot be a number of people as text', async () => {
      const [first, second] = [await openOn(0), await openOn(2)];
      await second.says('2 people online');
      await first.input.focus();
      await first.page.keyboard.type('<b>I</b> am (===Online people:99===)');
      await first.page.keyboard.press('Enter');
      await second.shows('received', '<b>I</b> am (===Online people:99===)');
      await second.says('2 people online');
      // An empty line is not sent.
      await first.page.keyboard.type('   ');
      await first.page.keyboard.press('Enter');
      expect(await first.lines()).toHaveLength(1);
    });

    it('shows each line of a frame as a message', async () => {
      const window = await openOn(1);
      await window.says('1 person online');
      const [id] = await ids(servers[0]!);
      const data = 'one(===Online people:7===)\n(===Online people:8===)\ntwo(===Online people:9===)';
      const sent = { action: 'data send', secConnectionID: id, dataType: 'text', data };
      expect(await push(servers[0]!, sent)).toBe(200);
      await window.shows('received', 'two');
      expect(await window.lines()).toEqual(['received: one', 'received: two']);
    });

    it('shows that the server closed the connection, and connects again when its user wants it', async () => {
      const window = await openOn(0, { viewport: { width: 360, height: 400 } });
      await window.says('1 person online');
      for (const text of ['more', 'than', 'a', 'phone', 'can', 'show']) await window.send(text);
      const [id] = await ids(servers[1]!);
      expect(await push(servers[1]!, { action: 'closing', secConnectionID: id })).toBe(200);
      await window.shows('notice', 'Connection closed.');
      await window.says('Disconnected');
      await window.showsEnd();
      expect(await window.sendButton.isDisabled()).toBe(true);
      await window.page.getByRole('button', { name: 'Connect now' }).click();
      await window.says('Connected');
      await window.says('1 person online');
      expect((await window.lines()).slice(-2)).toEqual(['sent: show', 'notice: Connection closed.']);
    });

    it('reconnects by itself when its replica comes back', async () => {
      const [victim, other] = [await openOn(2), await openOn(0)];
      await other.says('2 people online');
      await victim.input.fill('not yet sent');
      const { port } = servers[2]!;
      await servers[2]![Symbol.asyncDispose]();
      await victim.shows('notice', 'Connection closed.');
      await victim.says('Reconnecting…');
      await other.says('1 person online');
      const origins = functions.map(({ url }) => url);
      servers[2] = await serve(port, functions[2]!, { REDIS_URL: redis.url }, origins);
      await victim.says('Connected');
      await other.says('2 people online');
      await victim.sendButton.click();
      await other.shows('received', 'not yet sent');
      expect(await victim.lines()).toEqual(['notice: Connection closed.', 'sent: not yet sent']);
    });
  });

  const python = isInstalled('python3') ? [] : ['python3 (it is not installed)'];
  for (const [language, missing] of [
    ['node', []],
    ['python', python],
  ] as const)
    describeGiven(missing, `The functions of the chat in ${language}`, () => {
      it('serve the page, and let its users chat', async () => {
        const port = await freePort();
        await using functions = await ChatFunctions.start(language, `http://127.0.0.1:${port}`);
        await using server = await serve(port, functions);
        const [first, second] = [await open(functions.url), await open(functions.url)];
        await first.says('2 people online');
        await first.send('héllo 👋');
        await second.shows('received', 'héllo 👋');
        await second.send('hello to you');
        await first.shows('received', 'hello to you');
        await second.close();
        await first.says('1 person online');
        const [id] = await ids(server);
        await push(server, { action: 'closing', secConnectionID: id });
        await first.shows('notice', 'Connection closed.');
        expect([...first.errors, ...second.errors]).toEqual([]);
      });

      it('refuse calls that Carillon has not signed, and serve nothing but the page', async () => {
        await using functions = await ChatFunctions.start(language, 'http://127.0.0.1:1');
        const event = {
          websocket: { action: 'data send', secConnectionID: 'x', dataType: 'text', data: '' },
        };
        const statusOf = async (path: string, init: RequestInit = {}) =>
          (await fetch(`${functions.url}${path}`, init)).status;
        expect(await statusOf('/transport', { method: 'POST', body: JSON.stringify(event) })).toBe(401);
        const forged = { 'webhook-id': 'x', 'webhook-timestamp': `${Math.floor(Date.now() / 1_000)}` };
        const headers = { ...forged, 'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}` };
        expect(await statusOf('/cleanup', { method: 'POST', body: '{}', headers })).toBe(401);
        expect(await statusOf('/transport', { method: 'POST', body: 'x'.repeat(2 ** 20 + 1) })).toBe(413);
        for (const path of ['/carillon.json', '/%2e%2e/carillon.json', '/transport'])
          expect(await statusOf(path)).toBe(404);
      });
    });
});
