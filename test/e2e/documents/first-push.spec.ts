import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Server } from '../../support/server.js';

const HELLO = '{"id":"Hello"}';

describe('a server without brokers', () => {
  it('pushes a request immediately, and again three seconds later', async () => {
    await using server = await Server.start();
    // Repeated if the machine was too busy.
    let instantMs = Infinity;
    for (let attempt = 0; attempt < 5 && instantMs >= 2_000; attempt++) {
      const client = await server.connect(`client-${attempt}`);
      const asked = Date.now();
      const response = await server.trigger(HELLO, { userAgent: `client-${attempt}` });
      expect(response.status).toBe(202);
      const body = (await response.json()) as { messages: { lane: string; dueAt: string }[] };
      expect(body.messages.map(({ lane }) => lane)).toEqual(['instant', 'delayed']);

      const [instant, delayed] = await client.receives(2);
      expect([instant?.text, delayed?.text]).toEqual([HELLO, HELLO]);
      expect((delayed?.at ?? 0) - asked).toBeGreaterThanOrEqual(3_000);
      instantMs = (instant?.at ?? 0) - asked;
    }
    expect(instantMs).toBeLessThan(2_000);
  });

  it('reaches every client with the same identity, and no other client', async () => {
    await using server = await Server.start();
    const mine = [await server.connect('mine'), await server.connect('mine')];
    const other = await server.connect('other');
    await server.trigger(HELLO, { userAgent: 'mine', query: 'lanes=instant' });
    await Promise.all(mine.map((client) => client.receives(1)));
    await server.trigger('"for the other"', { userAgent: 'other', query: 'lanes=instant' });
    expect((await other.receives(1)).map(({ text }) => text)).toEqual(['"for the other"']);
  });

  it('logs the adapter of each lane', async () => {
    await using server = await Server.start();
    await server.says(/listening on/);
    expect(server.output).toMatch(/instant lane: memory/);
    expect(server.output).toMatch(/delayed lane: sqlite/);
    expect(server.output).toMatch(/fan-out: local/);
  });
});

describe('a restart of the single process', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'after %s delivers all of 1,000 scheduled messages when they are due',
    async (signal) => {
      const cwd = mkdtempSync(join(tmpdir(), 'carillon-restart-'));
      try {
        const due = new Map<string, number>();
        {
          const startedAt = Date.now();
          await using server = await Server.start({ cwd });
          // Late enough for the second start and the client's connection, even on a slow machine.
          const dueAt = Date.now() + 5_000 + 5 * (Date.now() - startedAt);
          await Promise.all(
            Array.from({ length: 1_000 }, async (_, i) => {
              const query = `lanes=delayed&deliverAt=${new Date(dueAt + i).toISOString()}`;
              const response = await server.trigger(`{"n":${i}}`, { userAgent: 'patient', query });
              expect(response.status).toBe(202);
              due.set(`{"n":${i}}`, dueAt + i);
            }),
          );
          await (signal === 'SIGTERM' ? server.stop() : server.kill());
        }
        await using server = await Server.start({ cwd });
        const client = await server.connect('patient');
        const received = await client.receives(1_000);
        expect(new Set(received.map(({ text }) => text)).size).toBe(1_000);
        expect(received.filter(({ text, at }) => at < (due.get(text) ?? Infinity))).toEqual([]);
      } finally {
        rmSync(cwd, { recursive: true, force: true });
      }
    },
  );
});
