import type { Server } from '../../support/gateway-app.js';
import type { ClientOptions, TransportClient } from './transport.contract.js';

/** Connects with a WebSocket over the loopback interface. */
export async function connectByWebSocket(
  server: Server,
  { answersPings = true }: ClientOptions = {},
): Promise<TransportClient> {
  const { socket, received, messages, closed } = await server.connect({ autoPong: answersPings }, '/chat');
  let pings = 0;
  socket.on('ping', () => pings++);
  return {
    received,
    messages,
    closed,
    async pings(count) {
      while (pings < count) await new Promise((resolve) => socket.once('ping', resolve));
    },
    send: (message) => socket.send(message),
    stopReading: () => socket.pause(),
    startReading: () => socket.resume(),
    close: (code) => socket.close(code),
    vanish: () => socket.terminate(),
  };
}
