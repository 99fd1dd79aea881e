import { type OnGatewayInit, WebSocketGateway } from '@nestjs/websockets';
import { Delivery } from '../../../delivery/index.js';
import { Authorizers } from '../../auth/authorizers.js';
import { authorizeHandshake } from '../../auth/handshake-authorization.js';
import { Connections } from '../../connection/connections.js';
import { closeCodes } from './close-codes.js';
import { RawAuthorizer } from './raw.authorizer.js';
import { RawConnection } from './raw.connection.js';
import { SocketServer } from '../../websocket/socket-server.js';

/** The raw socket: a message is one frame with nothing around it. See `docs/protocol.md`. */
@WebSocketGateway({ path: '/message' })
export class RawGateway implements OnGatewayInit<SocketServer> {
  constructor(
    private readonly connections: Connections,
    private readonly delivery: Delivery,
    private readonly authorizers: Authorizers,
  ) {}

  afterInit(server: SocketServer): void {
    server.protocol = { name: 'raw', closeCodes };
    const authorizer = this.authorizers.chain(new RawAuthorizer());
    server.entrance = (handshake) => {
      const context = this.authorizers.contextOf(handshake, '');
      const authorize = () => authorizeHandshake(authorizer, context);
      return new RawConnection(handshake, this.connections, this.delivery, authorize);
    };
  }
}
