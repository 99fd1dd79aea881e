import { describe, expect, it } from '@jest/globals';
import { Server } from '../../support/server.js';

describe('SIGTERM', () => {
  it('closes clients with a code that tells them to reconnect, at the configured rate, and exits with 0', async () => {
    await using server = await Server.start({ env: { CARILLON_GATEWAY_DRAIN_CONNECTIONS_PER_SECOND: '10' } });
    const clients = await Promise.all(Array.from({ length: 10 }, () => server.connect('guest')));
    const closes = clients.map(async (client) => ({ ...(await client.closed()), at: Date.now() }));
    const exited = server.stop();
    const closed = await Promise.all(closes);
    expect(closed.map(({ code }) => code)).toEqual(Array(10).fill(3001));
    const times = closed.map(({ at }) => at);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(500);
    expect(await exited).toBe(0);
  });

  it('turns readiness red first, and refuses new clients', async () => {
    await using server = await Server.start({
      env: {
        CARILLON_SERVER_SHUTDOWN_READINESS_DELAY_MS: '6000',
        CARILLON_GATEWAY_DRAIN_CONNECTIONS_PER_SECOND: '2',
      },
    });
    const clients = await Promise.all(Array.from({ length: 10 }, () => server.connect('guest')));
    const closes = clients.map((client) => client.closed());
    const exited = server.stop();
    await server.says(/shutting down/);
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(503);
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    expect((await Promise.race(closes)).code).toBe(3001);
    // The other clients are still being closed, so that the server still responds.
    await expect(server.connect('late')).rejects.toThrow('503');
    expect(await exited).toBe(0);
  });

  it('ends at the time limit, finished or not', async () => {
    await using server = await Server.start({
      env: {
        CARILLON_SERVER_SHUTDOWN_TIMEOUT_MS: '1000',
        CARILLON_SERVER_SHUTDOWN_READINESS_DELAY_MS: '60000',
      },
    });
    expect(await server.stop()).toBe(1);
    expect(server.output).toMatch(/cut off/);
  });
});
