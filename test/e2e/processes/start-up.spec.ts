import { describe, expect, it } from '@jest/globals';
import { Server, type ServerOptions } from '../../support/server.js';

describe('a server that cannot start', () => {
  it.each<[string, string, (other: Server) => ServerOptions]>([
    ['its port is taken', 'cannot_listen: port \\d+ of 127.0.0.1 is taken', ({ port }) => ({ port })],
    [
      'its address is of another machine',
      'cannot_listen: 203.0.113.9 is no address of this machine',
      () => ({ env: { HOST: '203.0.113.9' } }),
    ],
    [
      'another one has its files open',
      'adapter_unusable: .* another process has it open. Give each process',
      ({ cwd }) => ({ cwd }),
    ],
  ])('says what to do, in words and once, where %s', async (_, words, like) => {
    await using other = await Server.start();
    await using server = await Server.spawn(like(other));
    await server.says(new RegExp(`^carillon: ${words}`, 'm'));
    expect(await server.exited()).toBe(1);
    expect(server.output).not.toContain('"level":"error"');
  });
});

describe('a server whose shutdown cannot be finished', () => {
  it.each([
    ['15000', 'a shutdown is cut off 15000 ms after the process begins to close'],
    ['30000', 'server.shutdown.readinessDelayMs takes all of server.shutdown.timeoutMs'],
  ])('says so at its start where readiness is red for %s ms', async (delayMs, words) => {
    await using server = await Server.start({
      env: { CARILLON_SERVER_SHUTDOWN_READINESS_DELAY_MS: delayMs },
    });
    await server.says(/listening on/);
    expect(server.output).toContain(words);
  });
});
