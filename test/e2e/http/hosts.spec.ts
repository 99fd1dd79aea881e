import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Server } from '../../support/server.js';

const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** Sends a request with these lines, and resolves with its response. */
async function send(server: Server, path: string, ...lines: string[]): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const [response] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return String(response);
}

describe.each([
  ['a request', '/health/live', ''],
  ['an upgrade', '/message', UPGRADE],
  ['an upgrade of the other protocol', '/connection/websocket', UPGRADE],
])('%s to a server on a loopback address', (_, path, upgrade) => {
  it('is refused if it has two Host headers, or a name that may belong to someone else', async () => {
    await using server = await Server.start({
      env: { CARILLON_SERVER_HTTP_ALLOWED_HOSTS: 'push.example.com' },
    });
    const success = upgrade === '' ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 101 /;
    for (const host of ['localhost', '127.0.0.1:3000', '[::1]', 'push.example.com'])
      expect(await send(server, path, `Host: ${host}\r\n`, upgrade)).toMatch(success);
    expect(await send(server, path, 'Host: evil.example\r\n', upgrade)).toMatch(
      /^HTTP\/1\.1 403 [^]*"host_not_allowed"/,
    );
    for (const second of ['localhost', 'evil.example'])
      expect(await send(server, path, 'Host: localhost\r\n', `HOST: ${second}\r\n`, upgrade)).toMatch(
        /^HTTP\/1\.1 400 [^]*"malformed_request"/,
      );
  });
});
