import { WebSocketServer, type ServerOptions } from 'ws';
import { WebSocketTransport } from './websocket.transport.js';
import type { Connection } from '../connection/connection.js';
import type { GatewayOptions } from '../gateway.options.js';
import type { ConnectionProtocol, Handshake } from '../connection/handshake.js';

/** Makes the connection of an admitted client: what a protocol puts behind its path. */
export type Entrance = (handshake: Handshake) => Connection;

/** `closeTimeout` is missing from the types of `ws`. */
type SocketOptions = ServerOptions<typeof WebSocketTransport> & { readonly closeTimeout: number };

/** One path of the gateway: a `ws` server that the adapter hands its upgrades to. */
export class SocketServer extends WebSocketServer<typeof WebSocketTransport> {
  override readonly path: string;
  /** Set by the protocol's gateway when Nest gives it this server. */
  protocol: ConnectionProtocol | undefined;
  entrance: Entrance | undefined;
  /** The subprotocols that it speaks. Where there are none, a client is granted whichever it asks for first. */
  subprotocols: readonly string[] = [];

  constructor(path: string, options: GatewayOptions) {
    const socketOptions: SocketOptions = {
      noServer: true,
      WebSocket: WebSocketTransport,
      // A connection answers pings itself, within its rate and its outbox, and `Connections` knows all sockets:
      // with these two on, `ws` makes a closure per socket for each.
      autoPong: false,
      clientTracking: false,
      // It costs 18 KB a socket, and frames that are ready could not be shared.
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      maxFragments: options.maxMessageFragments,
      closeTimeout: options.closeTimeoutMs,
      handleProtocols: (asked) => this.#grant(asked),
    };
    super(socketOptions);
    this.path = path;
  }

  #grant(asked: ReadonlySet<string>): string | false {
    for (const each of asked)
      if (this.subprotocols.length === 0 || this.subprotocols.includes(each)) return each;
    return false;
  }
}
