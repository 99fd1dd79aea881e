import {
  connectionChannel,
  identityChannel,
  type Delivery,
  type Publication,
  type Subscriber,
} from '../../../delivery/index.js';
import type { Awaitable } from '../../auth/decisions.js';
import { Connection, type ConnectionHost } from '../../connection/connection.js';
import type { Handshake } from '../../connection/handshake.js';
import { PublicationFormat } from '../../connection/publication-format.js';

/** The bytes of a publication with nothing around them: as text if they are JSON, and as bytes otherwise. */
export const rawFormat = new PublicationFormat(
  ({ data }) => data,
  ({ format }) => format === 'json',
);

/** A client without a protocol: it receives what is sent to its identity or its connection id. Its own messages are ignored. */
export class RawConnection extends Connection implements Subscriber {
  readonly #delivery: Delivery;
  readonly #identity: string;
  /** Undefined once the client is authorized. */
  #authorize: (() => Awaitable<unknown>) | undefined;

  /** @param authorize throws or rejects with a HandshakeRefusedError if the client may not connect */
  constructor(
    handshake: Handshake,
    host: ConnectionHost,
    delivery: Delivery,
    authorize: () => Awaitable<unknown>,
  ) {
    super(handshake, host);
    this.#delivery = delivery;
    this.#authorize = authorize;
    this.#identity = identityChannel(handshake.userAgent, handshake.address);
  }

  override async join(): Promise<void> {
    await this.#authorize?.();
    this.#authorize = undefined;
    // The client may have gone while an authorizer decided. What is attached now would never be detached.
    if (this.hasLeft) return;
    await Promise.all([
      this.#delivery.attach(this.#identity, this),
      this.#delivery.attach(connectionChannel(this.id), this),
    ]);
  }

  protected override onOpen(): void {
    this.startHeartbeat();
  }

  receive(publication: Publication): void {
    this.deliver(publication, rawFormat);
  }

  protected override leave(): void {
    this.#delivery.detach(this.#identity, this);
    this.#delivery.detach(connectionChannel(this.id), this);
  }

  /** Ignores messages: a client may have a heartbeat of its own. */
  protected override onInbound(): void {}
}
