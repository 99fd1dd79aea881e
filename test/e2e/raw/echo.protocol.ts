import { type OnGatewayInit, WebSocketGateway } from '@nestjs/websockets';
import { Connection } from '../../../src/gateway/connection/connection.js';
import { Connections } from '../../../src/gateway/connection/connections.js';
import { closeCodes } from '../../../src/gateway/protocols/raw/close-codes.js';
import type { SocketServer } from '../../../src/gateway/websocket/socket-server.js';

/** Sends back what comes in, as the kind of message that it came as. All else is every connection's own. */
class EchoConnection extends Connection {
  override async join(): Promise<void> {}

  protected override onOpen(): void {
    this.startHeartbeat();
  }

  protected override leave(): void {}

  protected override onInbound(message: Buffer, isText: boolean): void {
    this.sendMessage(message, isText);
  }
}

/** Takes the place of the raw socket, which has nothing to say. */
@WebSocketGateway({ path: '/message' })
export class EchoGateway implements OnGatewayInit<SocketServer> {
  constructor(private readonly connections: Connections) {}

  afterInit(server: SocketServer): void {
    server.protocol = { name: 'echo', closeCodes };
    server.entrance = (handshake) => new EchoConnection(handshake, this.connections);
  }
}
