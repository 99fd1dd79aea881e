import { Injectable } from '@nestjs/common';
import { Delivery } from '../../../delivery/index.js';
import type { AuthorizerChain } from '../../auth/authorizer-chain.js';
import { Authorizers } from '../../auth/authorizers.js';
import { authorizeHandshake } from '../../auth/handshake-authorization.js';
import type { ConnectionHost } from '../../connection/connection.js';
import type { Handshake } from '../../connection/handshake.js';
import { HandshakeRefusedError, refusals } from '../../connection/refusals.js';
import type { Protocol, ProtocolDefinition } from '../protocol.js';
import { closeCodes } from './close-codes.js';
import { RawAuthorizer } from './raw.authorizer.js';
import { RawConnection } from './raw.connection.js';

@Injectable()
class RawProtocol implements Protocol {
  readonly #authorizer: AuthorizerChain;

  constructor(
    private readonly delivery: Delivery,
    private readonly authorizers: Authorizers,
  ) {
    this.#authorizer = authorizers.chain(new RawAuthorizer());
  }

  /** @throws HandshakeRefusedError if the client would share its identity with others */
  connect(handshake: Handshake, host: ConnectionHost): RawConnection {
    if (handshake.isHidden) throw new HandshakeRefusedError(refusals.untrustedProxy);
    const context = this.authorizers.contextOf(handshake, '');
    const authorize = () => authorizeHandshake(this.#authorizer, context);
    return new RawConnection(handshake, host, this.delivery, authorize);
  }
}

/** The raw socket: a message is one frame without an envelope. See `docs/protocol.md`. */
export const rawProtocol = {
  name: 'raw',
  paths: ['/message'],
  closeCodes,
  useClass: RawProtocol,
} as const satisfies ProtocolDefinition;
