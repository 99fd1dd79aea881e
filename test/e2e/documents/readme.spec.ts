import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Server } from '../../support/server.js';
import { WAIT_MS } from '../../support/wait-ms.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const readme = readFileSync(resolve(ROOT, 'README.md'), 'utf8');

/** Returns the n-th shell block of the README. */
function block(n: number): string {
  const blocks = [...readme.matchAll(/```sh\n(.*?)```/gs)].map(([, text = '']) => text.trim());
  return blocks[n] ?? '';
}

/** Resolves when wscat is connected. Without a terminal, wscat does not report it. */
async function isConnected(server: Server): Promise<void> {
  for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline;) {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    if (/^carillon_gateway_connections\{[^}]*\} 1$/m.test(metrics)) return;
    await delay(100);
  }
  throw new Error('wscat did not connect');
}

describe('the README', () => {
  it('shows commands with which the client prints the body immediately and again after three seconds', async () => {
    await using server = await Server.start();
    const [start, client, request] = [block(0), block(1), block(2)];
    expect(start).toBe('npm ci && npm start');
    expect(client).toMatch(/^npx wscat .*3000/);

    const wscat = spawn('sh', ['-c', client.replace(':3000', `:${server.port}`)], {
      cwd: ROOT,
      detached: true,
    });
    const printed: { text: string; at: number }[] = [];
    const enough = Promise.withResolvers<void>();
    createInterface(wscat.stdout).on('line', (text) => {
      if (printed.push({ text, at: Date.now() }) === 2) enough.resolve();
    });
    try {
      await isConnected(server);
      const asked = Date.now();
      spawn('sh', ['-c', request.replace(':3000', `:${server.port}`)], { cwd: ROOT, stdio: 'ignore' });
      await Promise.race([enough.promise, delay(WAIT_MS, undefined, { ref: false })]);
      expect(printed.map(({ text }) => text)).toEqual(['{"id":"Hello"}', '{"id":"Hello"}']);
      expect((printed[1]?.at ?? 0) - asked).toBeGreaterThanOrEqual(3_000);
    } finally {
      if (wscat.pid !== undefined) process.kill(-wscat.pid, 'SIGKILL');
    }
  });
});

describe('docs/operations.md', () => {
  it('lists exactly the metrics of a server', async () => {
    await using server = await Server.start({ args: ['--callbacks.enabled=true'] });
    const shown = await (await fetch(`${server.url}/metrics`)).text();
    const real = new Set(
      [...shown.matchAll(/^# TYPE (carillon_\w+|messagebus_\w+)/gm)].map(([, name]) => name),
    );
    const page = readFileSync(resolve(ROOT, 'docs/operations.md'), 'utf8');
    const listed = new Set(
      [...page.matchAll(/^\| `(carillon_\w+|messagebus_\w+)`/gm)].map(([, name]) => name),
    );
    expect(listed).toEqual(real);
  });
});
