import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort } from '../../../scripts/brokers/ports.ts';
import { RawClient } from '../../support/server.ts';

const project = resolve(import.meta.dirname, '../../..');
const sources = ['src', 'bin', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json', '.swcrc'];

/** `npm start` in a copy of the project, as a user runs it. */
class Started {
  output = '';
  readonly url: string;
  readonly #process: ChildProcess;

  constructor(
    cwd: string,
    readonly port: number,
    env: Readonly<Record<string, string>> = {},
  ) {
    this.url = `http://127.0.0.1:${port}`;
    const data = join(cwd, 'data', String(port));
    this.#process = spawn('npm', ['start', '--', `--bus.drivers.sqlite.directory=${data}`], {
      cwd,
      // A group of its own: npm, its shell and the server are stopped together.
      detached: true,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: String(port), ...env },
    });
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#process.emit('output');
      });
  }

  async says(pattern: RegExp, times = 1): Promise<void> {
    const exited = once(this.#process, 'exit').then(() => {
      throw new Error(`npm start ended:\n${this.output}`);
    });
    const everywhere = new RegExp(pattern, 'g');
    while ((this.output.match(everywhere)?.length ?? 0) < times)
      await Promise.race([once(this.#process, 'output'), exited]);
    exited.catch(() => {});
  }

  async push(): Promise<string> {
    const client = await RawClient.open(`ws://127.0.0.1:${this.port}/message`, { 'user-agent': 'client' });
    const headers = { 'user-agent': 'client', 'content-type': 'application/json' };
    await fetch(`${this.url}/trigger?lanes=instant`, { method: 'POST', headers, body: '"hello"' });
    const [message] = await client.receives(1);
    await client.close();
    return message?.text ?? '';
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    process.kill(-(this.#process.pid ?? 0), 'SIGKILL');
    await once(this.#process, 'exit');
  }
}

/** The ids of the worker processes that run from this copy. */
function workersOf(copy: string): number[] {
  return globSync('/proc/[0-9]*/cmdline')
    .filter((file) => textOf(file).includes(join(copy, 'dist/worker.js')))
    .map((file) => Number(file.split('/')[2]));
}

/** A process may end before its file is read. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

describe('npm start', () => {
  let copy: string;
  let started: Started[];
  const start = async (env?: Readonly<Record<string, string>>): Promise<Started> => {
    const server = new Started(copy, await freePort(), env);
    started.push(server);
    return server;
  };
  const ready = /listening on http/;

  beforeEach(() => {
    started = [];
    copy = mkdtempSync(join(tmpdir(), 'carillon-builds-'));
    for (const entry of sources) cpSync(join(project, entry), join(copy, entry), { recursive: true });
    symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
  });
  afterEach(async () => {
    await Promise.all(started.map((server) => server.stop()));
    rmSync(copy, { recursive: true, force: true });
  });

  it('works three times at once in a directory that has not been built yet', async () => {
    const servers = [await start(), await start(), await start()];
    await Promise.all(servers.map((server) => server.says(ready)));
    expect(await Promise.all(servers.map((server) => server.push()))).toEqual(Array(3).fill('"hello"'));
  });

  it('rebuilds under a running server, which still replaces a worker that dies', async () => {
    const running = await start({ WORKERS: '2' });
    await running.says(ready);
    const before = readFileSync(join(copy, 'dist/.built-from'), 'utf8');

    appendFileSync(join(copy, 'src/errors.ts'), '\n// changed\n');
    const newcomer = await start();
    await newcomer.says(ready);
    expect(readFileSync(join(copy, 'dist/.built-from'), 'utf8')).not.toBe(before);

    const [worker] = workersOf(copy);
    process.kill(worker ?? 0, 'SIGKILL');
    await running.says(/is replaced/);
    while (workersOf(copy).length < 2 || workersOf(copy).includes(worker ?? 0))
      await new Promise(setImmediate);
    expect(await running.push()).toBe('"hello"');
  });
});
