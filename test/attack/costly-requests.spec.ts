import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { Server } from '../support/server.ts';
import { MAX_DESCRIPTORS, MAX_STALL_MS, ProcessMeter } from './process-meter.ts';

const CONNECTIONS = 10;
const MAX_GROWTH_MB = 150;
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
/** Together 3,000 requests on all connections. */
const REQUESTS = (get('/metrics') + get('/docs/json') + get('/schedules?limit=1000')).repeat(99);

/** Sends all requests, reads all responses, and resolves with their statuses. */
async function flood(server: Server): Promise<string[]> {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(REQUESTS + get('/health/live', 'Connection: close\r\n'));
  const responses = await text(socket);
  return Array.from(responses.matchAll(/HTTP\/1\.1 (\d{3})/g), ([, status = '']) => status);
}

describe.each([1, 2])('a server with %d worker(s)', (workers) => {
  it('serves others while one address asks for what is expensive', async () => {
    await using server = await Server.start({
      env: {
        WORKERS: String(workers),
        // So that pipelining is not what limits.
        CARILLON_SERVER_HTTP_LIMITS_REQUESTS_IN_FLIGHT_PER_CONNECTION: '1000',
      },
    });
    const bystander = await server.connect('bystander');
    using meter = new ProcessMeter(server);
    const floods = Array.from({ length: CONNECTIONS }, () => flood(server));
    await server.trigger('"meanwhile"', { userAgent: 'bystander' });
    await bystander.until(() => bystander.received.some((message) => message.text === '"meanwhile"'));
    const statuses = (await Promise.all(floods)).flat();
    expect(statuses).toHaveLength(CONNECTIONS * 298);
    expect(new Set(statuses)).toEqual(new Set(['200', '429']));
    expect(statuses.filter((status) => status === '429').length).toBeGreaterThan(statuses.length / 2);
    expect(meter.growthMb).toBeLessThan(MAX_GROWTH_MB);
    expect(meter.longestStallMs).toBeLessThan(MAX_STALL_MS);
    expect(meter.maxDescriptors).toBeLessThan(MAX_DESCRIPTORS);
  });
});
