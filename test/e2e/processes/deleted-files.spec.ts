import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Server } from '../../support/server.ts';

/** Resolves when the readiness probe has this status, and its body has these texts. */
async function readiness(server: Server, status: number, texts: readonly string[] = []): Promise<void> {
  for (;;) {
    const response = await fetch(`${server.url}/health/ready`);
    const text = await response.text();
    if (response.status === status && texts.every((each) => text.includes(each))) return;
  }
}

describe.each([1, 2])('with %d worker(s), when the directory of the embedded files', (workers) => {
  const delayed = (server: Server, key?: string) =>
    server.trigger('"later"', {
      query: 'lanes=delayed&delay=PT1H',
      userAgent: 'me',
      ...(key !== undefined ? { headers: { 'idempotency-key': key } } : {}),
    });
  const start = () => Server.start({ env: { WORKERS: String(workers) } });

  it('is moved away, nothing more is accepted until it is back', async () => {
    await using server = await start();
    const [data, away] = [join(server.cwd, 'data'), join(server.cwd, 'away')];
    expect((await delayed(server, 'first')).status).toBe(202);
    renameSync(data, away);
    for (const key of [undefined, 'second']) {
      const refused = await delayed(server, key);
      expect([refused.status, await refused.text()]).toEqual([
        503,
        expect.stringContaining('broker_unavailable'),
      ]);
    }
    const files = ['schedule.db was', 'idempotency.db was', 'parked.db was'];
    await readiness(server, 503, [...files, 'restart the process']);
    renameSync(away, data);
    await readiness(server, 200);
    expect((await delayed(server, 'second')).status).toBe(202);
    const { schedules } = (await (
      await fetch(`${server.url}/schedules`, { headers: { 'user-agent': 'me' } })
    ).json()) as { schedules: unknown[] };
    expect(schedules).toHaveLength(2);
  });

  it('is deleted, the process is not ready, also if the directory is made again', async () => {
    await using server = await start();
    const data = join(server.cwd, 'data');
    rmSync(data, { recursive: true });
    mkdirSync(data);
    await readiness(server, 503);
    expect((await delayed(server)).status).toBe(503);
  });
});
