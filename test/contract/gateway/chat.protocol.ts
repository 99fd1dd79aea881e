import { Injectable } from '@nestjs/common';
import { Delivery, type Publication, type Subscriber } from '../../../src/delivery/index.js';
import {
  Connection,
  PublicationFormat,
  type ConnectionHost,
  type Handshake,
  type Protocol,
  type ProtocolDefinition,
} from '../../../src/gateway/index.js';

export const CHANNEL = 'chat';

const format = new PublicationFormat(
  ({ data }) => data,
  () => true,
);

/** Receives what is published to the channel, and echoes the client's own messages. */
class ChatConnection extends Connection implements Subscriber {
  constructor(
    handshake: Handshake,
    host: ConnectionHost,
    private readonly delivery: Delivery,
  ) {
    super(handshake, host);
  }

  override join(): Promise<void> {
    return this.delivery.attach(CHANNEL, this);
  }

  protected override leave(): void {
    this.delivery.detach(CHANNEL, this);
  }

  protected override onOpen(): void {
    this.startHeartbeat();
  }

  protected override onInbound(message: Buffer): void {
    this.sendMessage(Buffer.from(`echo ${message.toString()}`), true);
  }

  receive(publication: Publication): void {
    this.deliver(publication, format);
  }
}

@Injectable()
class ChatProtocol implements Protocol {
  constructor(private readonly delivery: Delivery) {}

  connect(handshake: Handshake, host: ConnectionHost): ChatConnection {
    return new ChatConnection(handshake, host, this.delivery);
  }
}

export const chatProtocol: ProtocolDefinition = {
  name: 'chat',
  paths: ['/chat'],
  closeCodes: {
    shuttingDown: { code: 4001, reason: 'shutting down', reconnect: true },
    slow: { code: 4002, reason: 'slow', reconnect: true },
    noPong: { code: 4003, reason: 'no pong', reconnect: true },
  },
  useClass: ChatProtocol,
};
