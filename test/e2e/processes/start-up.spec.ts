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
