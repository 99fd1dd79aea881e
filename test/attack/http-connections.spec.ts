import { connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Server } from '../support/server.ts';
import { MAX_STALL_MS, ProcessMeter } from './process-meter.ts';

const DESCRIPTORS = 160;
const MAX_GROWTH_MB = 150;
const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** Resolves when the server has closed the connection or responded, or when the connection has been open for a while. */
async function settled(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('close', resolve).once('data', resolve);
    setTimeout(resolve, 2_000);
  });
}

describe.each([1, 2])('a server with %d worker(s) and few file descriptors', (workers) => {
  it.each([
    ['idle connections from one address', 400, ''],
    [
      'pipelined requests for a large file whose responses are not read',
      4,
      request('/docs/swagger-ui-bundle.js').repeat(2_000),
    ],
  ])('survives %s', async (_, connections, bytes) => {
    await using server = await Server.start({
      env: { WORKERS: String(workers) },
      maxDescriptors: DESCRIPTORS,
    });
    const bystander = await server.connect('bystander');
    using meter = new ProcessMeter(server);
    const sockets = Array.from({ length: connections }, () => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      if (bytes !== '') socket.pause().write(bytes);
      return socket;
    });
    await Promise.all(sockets.map(settled));

    expect(meter.maxDescriptors).toBeLessThan(DESCRIPTORS);
    expect(meter.growthMb).toBeLessThan(MAX_GROWTH_MB);
    expect(meter.longestStallMs).toBeLessThan(MAX_STALL_MS);
    for (const socket of sockets) socket.destroy();
    await server.trigger('"still here"', { userAgent: 'bystander' });
    await bystander.until(() => bystander.received.some(({ text }) => text === '"still here"'));
    expect(server.output).not.toMatch(/"level":"(error|fatal)"|EMFILE/);
  });
});
