import { type OnGatewayInit, WebSocketGateway } from '@nestjs/websockets';
import { Delivery } from '../../../delivery/index.js';
import { Connections } from '../../connection/connections.js';
import { closeCodes } from './close-codes.js';
import { RawConnection } from './raw.connection.js';
import { SocketServer } from '../../websocket/socket-server.js';

/** The raw socket: a message is one frame with nothing around it. See `docs/protocol.md`. */
@WebSocketGateway({ path: '/message' })
export class RawGateway implements OnGatewayInit<SocketServer> {
  constructor(
    private readonly connections: Connections,
    private readonly delivery: Delivery,
  ) {}

  afterInit(server: SocketServer): void {
    server.protocol = { name: 'raw', closeCodes };
    server.entrance = (handshake) => new RawConnection(handshake, this.connections, this.delivery);
  }
}
