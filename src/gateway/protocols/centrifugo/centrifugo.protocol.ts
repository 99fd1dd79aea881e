import { Injectable } from '@nestjs/common';
import type { ConnectionHost } from '../../connection/connection.js';
import type { Handshake } from '../../connection/handshake.js';
import type { Protocol, ProtocolDefinition } from '../protocol.js';
import { headersOfProxies } from '../../auth/proxies/proxies.options.js';
import { CentrifugoConnection, subprotocols } from './centrifugo.connection.js';
import { clientSettings } from './centrifugo.options.js';
import { closeCodesByReason } from './close-codes.js';
import { Authorization } from './session/authorization.js';
import { Sessions } from './session/sessions.js';

@Injectable()
class CentrifugoProtocol implements Protocol {
  constructor(private readonly sessions: Sessions) {}

  connect(handshake: Handshake, host: ConnectionHost): CentrifugoConnection {
    return new CentrifugoConnection(handshake, host, this.sessions);
  }

  countUsers(): number {
    return this.sessions.users.count;
  }
}

/** The Centrifugo client protocol, in JSON and in Protobuf. See `docs/protocol.md`. */
export const centrifugoProtocol = {
  name: 'centrifugo',
  paths: ['/connection/websocket'],
  subprotocols,
  closeCodes: closeCodesByReason,
  settings: clientSettings,
  forwardedHeaders: (options) => headersOfProxies(clientSettings.of(options).proxies),
  useClass: CentrifugoProtocol,
  providers: [Authorization, Sessions],
} as const satisfies ProtocolDefinition;
