import { setTimeout as delay } from 'node:timers/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Server } from '../../support/server.ts';

const INJECTED = resolve(import.meta.dirname, 'failing-task.ts');
const FAILURES = /^carillon_background_failures_total\{task="([^"]+)"\} (\d+)$/gm;

function withFailingTask(task: string, env: Readonly<Record<string, string>> = {}) {
  return {
    env: {
      NODE_OPTIONS: `--import=${INJECTED} --disable-warning=ExperimentalWarning`,
      FAILING_TASK: task,
      CARILLON_DELIVERY_NODE_ANNOUNCE_INTERVAL_MS: '100',
      ...env,
    },
  };
}

async function failures(server: Server): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Object.fromEntries([...text.matchAll(FAILURES)].map(([, task, count]) => [task, Number(count)]));
}

describe.each([1, 2])('a server with %d worker(s)', (workers) => {
  it.each([
    ['an exception of a timer', 'uncaught exception', 'an injected exception'],
    ['an exception of a socket’s event handler', 'uncaught exception', 'an injected exception'],
    ['a rejected promise', 'unhandled rejection', 'an injected rejection'],
    ['a rejection that is no error', 'unhandled rejection', 'an injected rejection', ''],
    ['a system call without a file descriptor', 'uncaught exception', 'EMFILE'],
  ])('survives %s, logs it and counts it', async (task, kind, reason, origin = 'failing-task.ts') => {
    await using server = await Server.start(withFailingTask(task, { WORKERS: String(workers) }));
    const client = await server.connect('bystander');
    while (((await failures(server))[kind] ?? 0) < 10) await delay(10);

    await server.trigger('"still here"', { userAgent: 'bystander' });
    await client.until(() => client.received.some(({ text }) => text === '"still here"'));
    const lines = server.output.split('\n').filter((line) => line.includes(`: ${kind}: `));
    const [first] = lines.map((line) => JSON.parse(line) as { level: string; msg: string; details?: string });
    expect(first).toMatchObject({ level: 'error' });
    expect(first?.msg).toContain(`background failure, the process continues: ${kind}: ${reason}`);
    expect(first?.details ?? '').toContain(origin);
    expect(server.output).not.toContain('is replaced');
    expect(await server.stop()).toBe(0);
  });
});

describe('a server', () => {
  it('announces itself while no file descriptor is free', async () => {
    await using server = await Server.start(withFailingTask('a system call without a file descriptor'));
    while (((await failures(server))['uncaught exception'] ?? 0) < 10) await delay(10);
    expect(await failures(server)).not.toHaveProperty('announcement of this node');
  });

  it('ends when an assertion is violated, because its state is unknown', async () => {
    await using server = await Server.start(withFailingTask('a violated assertion'));
    expect(await server.exited()).toBe(1);
    expect(server.output).toContain('an injected assertion');
  });

  it('ends after an exception while it starts', async () => {
    await using server = await Server.spawn(
      withFailingTask('an exception of a timer', { FAILS_AT: 'start' }),
    );
    expect(await server.exited()).toBe(1);
    expect(server.output).toContain('an injected exception');
  });
});
