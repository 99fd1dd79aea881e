import {
  Connection,
  type ConnectionHost,
  type Handshake,
  type Protocol,
} from '../../../src/gateway/index.js';
import { rawProtocol } from '../../../src/gateway/protocols/raw/index.js';

/** Sends each message back as it came, as text or as bytes. */
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

class EchoProtocol implements Protocol {
  connect(handshake: Handshake, host: ConnectionHost): EchoConnection {
    return new EchoConnection(handshake, host);
  }
}

/** Replaces the raw socket, which ignores messages. */
export const echoProtocol = { ...rawProtocol, name: 'echo', useClass: EchoProtocol };
