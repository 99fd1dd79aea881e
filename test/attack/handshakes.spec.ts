import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { Server } from '../support/server.ts';
import { MAX_DESCRIPTORS, MAX_STALL_MS, ProcessMeter } from './process-meter.ts';

const ATTACKS = 300;
const MAX_GROWTH_MB = 150;
const GARBAGE =
  'GET /message HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const VALID = GARBAGE.replace(
  /\r\n$/,
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
);

/** Resolves with the status of the response to a handshake. */
async function handshake(server: Server, bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(bytes);
  const [response] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return String(response).slice('HTTP/1.1 '.length, 'HTTP/1.1 '.length + 3);
}

describe.each([1, 2])('a server with %d worker(s)', (workers) => {
  it('accepts others while one address sends garbage and connects too fast', async () => {
    await using server = await Server.start({
      env: {
        WORKERS: String(workers),
        CARILLON_GATEWAY_LIMITS_HANDSHAKES_BURST: '40',
        CARILLON_GATEWAY_LIMITS_HANDSHAKES_PER_SECOND: '0.001',
        CARILLON_GATEWAY_LIMITS_HANDSHAKES_PER_ADDRESS_BURST: '20',
        CARILLON_GATEWAY_LIMITS_HANDSHAKES_PER_ADDRESS_PER_SECOND: '0.001',
      },
    });
    using meter = new ProcessMeter(server);
    const attack = async (bytes: string): Promise<Set<string>> =>
      new Set(await Promise.all(Array.from({ length: ATTACKS }, () => handshake(server, bytes))));
    expect(await attack(GARBAGE)).toEqual(new Set(['400']));
    expect(await attack(VALID)).toEqual(new Set(['101', '429']));

    const others = Array.from(
      { length: 15 },
      () => new WebSocket(`ws://127.0.0.1:${server.port}/message`, { localAddress: '127.0.0.2' }),
    );
    await Promise.all(others.map((other) => once(other, 'open')));
    expect(meter.growthMb).toBeLessThan(MAX_GROWTH_MB);
    expect(meter.longestStallMs).toBeLessThan(MAX_STALL_MS);
    expect(meter.maxDescriptors).toBeLessThan(MAX_DESCRIPTORS);
    for (const other of others) other.terminate();
  });
});
