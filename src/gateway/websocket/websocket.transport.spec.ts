import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { WebSocket } from 'ws';
import { encodeFrame, Opcode } from './frame.js';
import { gatewayOptionsFor } from '../gateway.options.js';
import { FlushQueue } from '../connection/flush-queue.js';
import { Outbox } from '../connection/outbox.js';
import { SocketServer } from './socket-server.js';
import type { TransportListener } from '../connection/transport.js';
import type { WebSocketTransport } from './websocket.transport.js';

/** Connects a client, and returns both ends. */
async function connected() {
  const http = createServer();
  const server = new SocketServer(gatewayOptionsFor([]).parse({}));
  const queue = new FlushQueue(10_000);
  const outbox = new Outbox(queue);
  const listener = {
    onMessage: jest.fn(),
    onPing: jest.fn(),
    onPong: jest.fn(),
    onClosing: jest.fn<() => void>(),
    onFault: jest.fn(),
    onClose: jest.fn<(code: number) => void>(),
  } satisfies TransportListener;
  const opened = new Promise<WebSocketTransport>((resolve) => {
    http.on('upgrade', (request, stream: Socket, head) => {
      server.handleUpgrade(request, stream, head, (socket) => {
        socket.stream = stream;
        socket.attach(listener);
        outbox.open(socket);
        resolve(socket);
      });
    });
  });
  http.listen(0);
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
  const received: string[] = [];
  client.on('message', (data) => received.push((data as Buffer).toString()));
  const socket = await opened;
  await once(client, 'open');
  return {
    client,
    received,
    socket,
    outbox,
    listener,
    [Symbol.dispose]() {
      client.terminate();
      queue.close();
      http.close();
    },
  };
}

function text(content: string): Buffer {
  return encodeFrame(Opcode.text, Buffer.from(content));
}

describe('WebSocketTransport', () => {
  it('does not write a ready frame into the middle of another one', async () => {
    using ends = await connected();
    const { client, received, socket, outbox, listener } = ends;
    // `ws` reads a blob asynchronously, and queues what is sent meanwhile behind it.
    socket.send(new Blob(['blob']));
    socket.send('behind');
    expect(socket.isMidFrame).toBe(true);
    outbox.push(text('ready-made'));
    while (received.length < 3) await once(client, 'message');
    expect(received).toEqual(['blob', 'behind', 'ready-made']);
    expect(socket.isMidFrame).toBe(false);

    client.close();
    await once(client, 'close');
    expect(socket.isOpen).toBe(false);
    expect(listener.onClose).toHaveBeenCalledWith(1005);
  });

  it.each([
    ['the client closes', 1000, (client: WebSocket) => client.close(1000)],
    [
      'the client breaks the protocol',
      1007,
      (client: WebSocket) => client.send(Buffer.of(0xff), { binary: false }),
    ],
  ])('sends waiting frames before its close frame if %s', async (_, code, end) => {
    using ends = await connected();
    const { client, received, outbox, listener } = ends;
    listener.onClosing.mockImplementation(() => {
      outbox.push(text('last'));
      outbox.end();
    });
    end(client);
    expect(await once(client, 'close')).toEqual([code, expect.anything()]);
    expect(received).toEqual(['last']);
  });
});
