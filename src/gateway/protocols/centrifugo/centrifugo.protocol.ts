import { type OnGatewayInit, WebSocketGateway } from '@nestjs/websockets';
import { Connections } from '../../connection/connections.js';
import type { SocketServer } from '../../websocket/socket-server.js';
import { closeCodesByReason } from './close-codes.js';
import { CentrifugoConnection, subprotocols } from './centrifugo.connection.js';
import { Sessions } from './session/sessions.js';

/** The Centrifugo client protocol on WebSocket, in JSON and in Protobuf. See `docs/protocol.md`. */
@WebSocketGateway({ path: '/connection/websocket' })
export class CentrifugoGateway implements OnGatewayInit<SocketServer> {
  constructor(
    private readonly connections: Connections,
    private readonly sessions: Sessions,
  ) {}

  afterInit(server: SocketServer): void {
    server.subprotocols = subprotocols;
    server.protocol = { name: 'centrifugo', closeCodes: closeCodesByReason };
    server.entrance = (handshake) => new CentrifugoConnection(handshake, this.connections, this.sessions);
  }
}
