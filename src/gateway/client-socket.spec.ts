import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { WebSocket } from 'ws';
import type { ClientSocket, SocketListener } from './client-socket.js';
import { encodeFrame, Opcode } from './frame.js';
import { gatewayOptions } from './gateway.options.js';
import { FlushQueue, Outbox } from './outbox.js';
import { SocketServer } from './socket-server.js';

const onClose = jest.fn<(code: number) => void>();
const listener: SocketListener = {
  onMessage: jest.fn(),
  onPing: jest.fn(),
  onPong: jest.fn(),
  onFault: jest.fn(),
  onClose,
};

describe('ClientSocket', () => {
  it('lets no ready-made frame into the middle of another', async () => {
    const http = createServer();
    const server = new SocketServer('/', gatewayOptions.parse({}));
    const opened = new Promise<ClientSocket>((resolve) => {
      http.on('upgrade', (request, stream: Socket, head) => {
        server.handleUpgrade(request, stream, head, (socket) => {
          socket.attach(stream, listener);
          resolve(socket);
        });
      });
    });
    http.listen(0);
    const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
    const received: string[] = [];
    client.on('message', (data) => received.push((data as Buffer).toString()));
    const socket = await opened;
    const queue = new FlushQueue(10_000);
    const outbox = new Outbox(queue);
    outbox.open(socket);

    // A blob is read asynchronously, and what `ws` sends meanwhile queues behind it.
    socket.send(new Blob(['blob']));
    socket.send('behind');
    expect(socket.isMidFrame).toBe(true);
    outbox.push(encodeFrame(Opcode.text, Buffer.from('ready-made')));
    while (received.length < 3) await once(client, 'message');
    expect(received).toEqual(['blob', 'behind', 'ready-made']);
    expect(socket.isMidFrame).toBe(false);

    client.close();
    await once(client, 'close');
    expect(socket.isOpen).toBe(false);
    expect(onClose).toHaveBeenCalledWith(1005);
    queue.close();
    http.close();
  });
});
