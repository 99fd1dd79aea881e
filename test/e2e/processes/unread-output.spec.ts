import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { freePort } from '../../../scripts/brokers/ports.ts';

const MAIN = resolve(import.meta.dirname, '../../../dist/main.js');

/** Fills the log with more than a pipe holds and the process keeps, a little in each turn, and then says so. */
const FILL = `
  const send = process.send.bind(process);
  process.send = (message) => {
    let lines = 0;
    const timer = setInterval(() => {
      for (let i = 0; i < 50; i++, lines++) console.error('x'.repeat(10_000));
      if (lines < 1_000) return;
      clearInterval(timer);
      send('filled');
    }, 1);
    return send(message);
  };`;

it('a server whose output nobody reads keeps working, and ends when it is asked to', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'carillon-unread-'));
  const port = String(await freePort());
  const server = fork(MAIN, [], {
    cwd,
    env: {
      PATH: process.env['PATH'],
      PORT: port,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(FILL)}`,
    },
    execArgv: [],
    silent: true,
  });
  try {
    server.stdout?.pause();
    for (let said: unknown; said !== 'filled';) [said] = (await once(server, 'message')) as [unknown];
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    server.kill('SIGTERM');
    // Not `close`, which comes after the output was read.
    const [code] = (await once(server, 'exit')) as [number];
    expect(code).toBe(0);
  } finally {
    server.kill('SIGKILL');
    rmSync(cwd, { recursive: true, force: true });
  }
});
