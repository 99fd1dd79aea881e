/** Types the commands of `examples/chat-functions/README.md` into a shell, as its reader does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from '@jest/globals';
import { freePort } from '../../../scripts/brokers/ports.js';
import { isInstalled } from '../../../scripts/brokers/cache.js';
import { EventLog } from '../../support/event-log.js';
import { describeGiven } from '../../support/gate.js';
import { RawClient } from '../../support/server.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const readme = readFileSync(resolve(ROOT, 'examples/chat-functions/README.md'), 'utf8');
const [secrets = '', node = '', python = '', start = '', list = '', close = ''] = readme
  .matchAll(/```sh\n(.*?)```/gs)
  .map(([, text = '']) => text);

const missing = ['openssl', 'curl', 'python3'].filter((program) => !isInstalled(program));

describeGiven(missing, 'examples/chat-functions/README.md', () => {
  let shell: ChildProcess | undefined;
  let directory = '';
  afterEach(() => {
    if (shell?.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    ['Node', node],
    ['Python', python],
  ])('has commands with which the chat runs in %s', async (_language, functions) => {
    directory = mkdtempSync(join(tmpdir(), 'carillon-chat-readme-'));
    const [port, chatPort] = [await freePort(), await freePort()];
    const { stdin, stdout } = (shell = spawn('sh', ['-e'], {
      cwd: ROOT,
      detached: true,
      env: { PATH: process.env['PATH'], PORT: `${port}`, CHAT_PORT: `${chatPort}` },
      stdio: ['pipe', 'pipe', 'inherit'],
    }));
    const output = new EventLog<string>();
    createInterface(stdout).on('line', (line) => output.add(line));
    const enter = (block: string): void => {
      stdin.write(`${block.replaceAll(':3000', `:${port}`).replaceAll('data/', `${directory}/`)}\n`);
    };
    enter(secrets);
    enter(`sed -i 's/:4000/:${chatPort}/' ${directory}/chat.json; export CARILLON_URL=http://localhost:3000`);
    enter(functions);
    expect(start).toMatch(/^npm start -- /);
    // The program is already built, and another suite may be using it.
    enter(start.replace('npm start --', 'node dist/main.js').trim().concat(' &'));
    await output.until((lines) => lines.some((line) => line.startsWith('The chat is at')));
    await output.until((lines) => lines.some((line) => line.includes('listening on')));

    const url = `ws://localhost:${port}/chat`;
    const origin = `http://localhost:${chatPort}`;
    const [first, second] = [await RawClient.open(url, { origin }), await RawClient.open(url, { origin })];
    first.socket.send('hello');
    await second.until(() => second.received.some(({ text }) => text === 'hello(===Online people:2===)'));

    enter(`${list.trim()}; echo`);
    await output.until((lines) => lines.some((line) => line.includes('"total":2')));
    expect(output.entries.join('\n')).toContain(first.id);
    const closed = once(first.socket, 'close');
    enter(close.replace('"ID"', `"${first.id}"`));
    expect(await closed).toEqual([1000, Buffer.alloc(0)]);
  });
});
