/** Follows docs/quick-start.md: every file and every command, in order. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Server } from '../../support/server.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const document = readFileSync(join(ROOT, 'docs/quick-start.md'), 'utf8');
const commands = [...document.matchAll(/```sh\n([^]*?)```/g)].map(([, text = '']) => text.trim());
const [, client = ''] = /```js client\.mjs\n([^]*?)```/.exec(document) ?? [];

describe('docs/quick-start.md', () => {
  let directory: string;
  let server: Server;

  /** Returns a command of the page with the files and the address of this test. */
  const command = (pattern: RegExp): string => {
    const found = commands.find((text) => pattern.test(text));
    if (found === undefined) throw new Error(`the page has no command like ${pattern}`);
    return found
      .replaceAll('carillon.json', join(directory, 'carillon.json'))
      .replaceAll('client.mjs', join(directory, 'client.mjs'))
      .replaceAll('localhost:3000', `127.0.0.1:${server?.port}`);
  };
  const run = async (text: string): Promise<string> => {
    const { stdout } = await promisify(execFile)('bash', ['-euc', text], { cwd: ROOT });
    return stdout.trim();
  };

  beforeAll(async () => {
    // Inside the project, so that the client finds its library.
    directory = mkdtempSync(join(ROOT, 'node_modules/.quick-start-'));
    const file = join(directory, 'carillon.json');
    await run(`npx carillon genconfig ${file}`);
    server = await Server.start({ args: ['--config', file] });
    writeFileSync(
      join(directory, 'client.mjs'),
      client.replace('localhost:3000', `127.0.0.1:${server.port}`),
    );
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  it('starts the server with the same commands as this test', () => {
    expect(commands.slice(0, 2)).toEqual([
      'npm ci && npm run build\nnpx carillon genconfig',
      'npm start -- --config carillon.json',
    ]);
  });

  it('signs a token', async () => {
    expect(await run(command(/^npx carillon gentoken/))).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it('publishes to a client, and shows the presence and the history of its channel', async () => {
    const program = spawn('bash', ['-euc', command(/^TOKEN=/)], { cwd: ROOT, detached: true });
    try {
      const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
      expect((await lines.next()).value).toBe('subscribed');
      expect(JSON.parse(await run(command(/trigger/)))).toMatchObject({ channel: 'news' });
      expect((await lines.next()).value).toBe('Hello');
      const { result } = JSON.parse(await run(command(/presence/))) as {
        result: { presence: Record<string, { user: string }> };
      };
      expect(Object.values(result.presence)).toEqual([expect.objectContaining({ user: '42' })]);
      expect(JSON.parse(await run(command(/history/)))).toMatchObject({
        result: { publications: [{ data: { text: 'Hello' }, offset: 1 }] },
      });
    } finally {
      process.kill(-(program.pid ?? 0), 'SIGKILL');
    }
  });
});
