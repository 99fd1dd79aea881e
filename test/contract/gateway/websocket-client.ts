import { once } from 'node:events';
import type { Server } from '../../support/gateway-app.js';
import type { ClientOptions, TransportClient } from './transport.contract.js';

/** Connects with a WebSocket over the loopback interface. */
export async function connectByWebSocket(
  server: Server,
  { answersPings = true }: ClientOptions = {},
): Promise<TransportClient> {
  const client = await server.connect({ autoPong: answersPings }, '/chat');
  const { socket, received, closed } = client;
  return {
    received,
    closed,
    messages: (count) => client.messages(count),
    async pings(count) {
      for (let seen = 0; seen < count; seen++) await once(socket, 'ping');
    },
    send: (message) => socket.send(message),
    stopReading: () => socket.pause(),
    startReading: () => socket.resume(),
    close: (code) => socket.close(code),
    vanish: () => socket.terminate(),
  };
}
