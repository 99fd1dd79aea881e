import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Server } from '../support/server.ts';
import { MAX_DESCRIPTORS, MAX_STALL_MS, ProcessMeter } from './process-meter.ts';

const CONNECTIONS = 30;
const CHUNKS = 60_000;
/** Of each process that serves. Most of it is garbage that waits for its collection; a buffer for each chunk took 420 to 490. */
const MAX_GROWTH_MB = 350;
const head =
  'POST /trigger HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Sends a body without its end in chunks of one byte. Resolves when all of it is on its way. */
async function dribble(socket: Socket): Promise<void> {
  await new Promise((resolve) => socket.write(head + '1\r\nx\r\n'.repeat(CHUNKS), resolve));
}

describe.each([1, 2])('a server with %d worker(s)', (workers) => {
  it('joins bodies that arrive in chunks of one byte', async () => {
    await using server = await Server.start({
      env: { WORKERS: String(workers), CARILLON_SERVER_HTTP_REQUEST_TIMEOUT_MS: '60000' },
    });
    using meter = new ProcessMeter(server);
    const sockets = Array.from({ length: CONNECTIONS }, () => connect(server.port, '127.0.0.1'));
    await Promise.all(sockets.map(dribble));
    const replies = sockets.map((socket) => once(socket, 'data') as Promise<[Buffer]>);
    for (const socket of sockets) socket.write('0\r\n\r\n');
    for (const [reply] of await Promise.all(replies)) expect(String(reply)).toContain('"invalid_json"');

    expect(meter.growthMb).toBeLessThan(workers * MAX_GROWTH_MB);
    expect(meter.longestStallMs).toBeLessThan(MAX_STALL_MS);
    expect(meter.maxDescriptors).toBeLessThan(MAX_DESCRIPTORS);
    for (const socket of sockets) socket.destroy();
  });
});
