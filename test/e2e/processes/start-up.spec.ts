import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Server, type ServerOptions } from '../../support/server.js';

describe('a server that cannot start', () => {
  it.each<[string, string, (other: Server) => ServerOptions]>([
    ['its port is in use', 'cannot_listen: port \\d+ on 127.0.0.1 is in use', ({ port }) => ({ port })],
    [
      'its address belongs to another machine',
      'cannot_listen: 203.0.113.9 is not an address of this machine',
      () => ({ env: { HOST: '203.0.113.9' } }),
    ],
    [
      'another process has its files open',
      'adapter_unusable: .* another process has it open. Give each process',
      ({ cwd }) => ({ cwd }),
    ],
  ])('says once, in words, what to do: %s', async (_, words, optionsFor) => {
    await using other = await Server.start();
    await using server = await Server.spawn(optionsFor(other));
    await server.says(new RegExp(`^carillon: ${words}`, 'm'));
    expect(await server.exited()).toBe(1);
    expect(server.output).not.toContain('"level":"error"');
  });
});

describe('a server whose shutdown cannot finish in time', () => {
  it.each([
    ['15000', 'a shutdown is cut off 15000 ms after the process begins to close'],
    ['30000', 'server.shutdown.readinessDelayMs takes all of server.shutdown.timeoutMs'],
  ])('warns at its start: readiness is red for %s ms', async (delayMs, words) => {
    await using server = await Server.start({
      env: { CARILLON_SERVER_SHUTDOWN_READINESS_DELAY_MS: delayMs },
    });
    await server.says(/listening on/);
    expect(server.output).toContain(words);
  });
});

describe('a server that has started', () => {
  it('has a page at / whose links work, and keeps its files from other users', async () => {
    await using server = await Server.start();
    const page = await (await fetch(server.url)).text();
    const links = [...page.matchAll(/href="([^"]+)"/g)].map(([, path]) => `${server.url}${path}`);
    expect(links).toHaveLength(2);
    for (const link of links) expect((await fetch(link)).status).toBe(200);
    for (const file of globSync('data/**/*', { cwd: server.cwd }))
      expect(statSync(join(server.cwd, file)).mode & 0o077).toBe(0);
  });
});
