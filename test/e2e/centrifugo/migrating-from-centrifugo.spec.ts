/** Follows docs/migrating-from-centrifugo.md: every file and every command, in order. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { counterparts } from '../../../src/config/centrifugo/options.js';
import { unsupported } from '../../../src/config/centrifugo/unsupported.js';
import { Server } from '../../support/server.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const document = readFileSync(join(ROOT, 'docs/migrating-from-centrifugo.md'), 'utf8');

describe('docs/migrating-from-centrifugo.md', () => {
  let directory: string;
  let server: Server;

  /** Returns a command of the document with the files and the address of this test. */
  const command = (pattern: RegExp): string => {
    const commands = [...document.matchAll(/```sh\n([^]*?)```/g)].map(([, text = '']) => text.trim());
    const found = commands.find((text) => pattern.test(text));
    if (found === undefined) throw new Error(`the document has no command like ${pattern}`);
    return found
      .replaceAll('config.json', join(directory, 'config.json'))
      .replaceAll('client.mjs', join(directory, 'client.mjs'))
      .replaceAll('localhost:8000', `127.0.0.1:${server.port}`);
  };
  const run = async (pattern: RegExp, env: Record<string, string> = {}): Promise<string> => {
    const { stdout } = await promisify(execFile)('bash', ['-euc', command(pattern)], {
      cwd: ROOT,
      env: { ...process.env, ...env },
    });
    return stdout.trim();
  };
  const file = (name: string): string => {
    const [, text] =
      new RegExp(`\`\`\`\\w+ ${name.replace('.', '\\.')}\\n([^]*?)\`\`\``).exec(document) ?? [];
    if (text === undefined) throw new Error(`the document has no file ${name}`);
    return text;
  };

  beforeAll(async () => {
    // Inside the project, so that the client finds its library.
    directory = mkdtempSync(join(ROOT, 'node_modules/.migrating-'));
    writeFileSync(join(directory, 'config.json'), file('config.json'));
    server = await Server.start({ args: ['--config', join(directory, 'config.json')] });
    const client = file('client.mjs').replace('localhost:8000', `127.0.0.1:${server.port}`);
    writeFileSync(join(directory, 'client.mjs'), client);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  it('starts the server with the same command as this test', () => {
    expect(document).toContain('```sh\nnpm start -- --config config.json\n```');
  });

  it('checks the configuration, generates a token and checks it', async () => {
    expect(await run(/carillon check/)).toContain('the configuration is valid');
    const token = await run(/^npx carillon gentoken/);
    expect(await run(/carillon checktoken/, { TOKEN: token })).toContain('a valid connection token');
  });

  it('delivers publications to an unmodified client, at once and delayed', async () => {
    const client = spawn('bash', ['-euc', command(/^TOKEN=/)], { cwd: ROOT, detached: true });
    try {
      const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
      expect((await lines.next()).value).toBe('subscribed');
      expect(JSON.parse(await run(/"Hello"/))).toEqual({
        result: { offset: 1, epoch: expect.any(String) },
      });
      expect((await lines.next()).value).toBe('Hello');
      expect(JSON.parse(await run(/"Hello again"/))).toEqual({ result: { id: expect.any(String) } });
      expect((await lines.next()).value).toBe('Hello again');
    } finally {
      process.kill(-(client.pid ?? 0), 'SIGKILL');
    }
  });

  it('lists every option, supported or not', () => {
    const rows = [...document.matchAll(/^\| `([\w.]+)` +\| (.+?) +\|$/gm)].map(([, name, what]) => [
      name,
      what,
    ]);
    expect(rows).toEqual([
      ...[...counterparts].map(([theirs, { ours }]) => [theirs, `\`${ours}\``]),
      ...[...unsupported].map(([theirs, { instead }]) => [theirs, instead]),
    ]);
  });
});
