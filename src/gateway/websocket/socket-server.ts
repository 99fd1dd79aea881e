import { WebSocketServer, type ServerOptions } from 'ws';
import type { GatewayOptions } from '../gateway.options.js';
import { WebSocketTransport } from './websocket.transport.js';

/** `closeTimeout` is missing from the types of `ws`. */
type SocketOptions = ServerOptions<typeof WebSocketTransport> & { readonly closeTimeout: number };

/** The `ws` server of one protocol, which completes the handshakes that the upgrade handler gives to it. */
export class SocketServer extends WebSocketServer<typeof WebSocketTransport> {
  /** The subprotocol for the handshake that is completed next; undefined: the first that fits. */
  granted: string | false | undefined;

  /** @param subprotocols that the protocol speaks. If there are none, a client is granted the first one that it offers. */
  constructor(options: GatewayOptions, subprotocols: readonly string[] = []) {
    const socketOptions: SocketOptions = {
      noServer: true,
      WebSocket: WebSocketTransport,
      // A connection answers pings itself, within its rate and its outbox, and `Connections` knows all sockets.
      // With either of these two, `ws` would create a closure per socket.
      autoPong: false,
      clientTracking: false,
      // It costs 18 KB a socket, and subscribers could not share frames.
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      maxFragments: options.maxMessageFragments,
      closeTimeout: options.closeTimeoutMs,
      handleProtocols: (offered) => this.granted ?? firstGranted(offered, subprotocols),
    };
    super(socketOptions);
  }
}

function firstGranted(offered: ReadonlySet<string>, spoken: readonly string[]): string | false {
  for (const each of offered) if (spoken.length === 0 || spoken.includes(each)) return each;
  return false;
}
