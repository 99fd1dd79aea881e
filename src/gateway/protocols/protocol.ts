import type { Provider, Type } from '@nestjs/common';
import type { ConnectionFactory } from '../connection/connection.js';
import type { ConnectionProtocol } from '../connection/handshake.js';
import type { ProtocolSettings } from './protocol-settings.js';

/** The part of a protocol that exists at run time. Nest creates one object per process and injects its dependencies. */
export interface Protocol extends ConnectionFactory {
  /** Counts the different users of its connections on this process. A protocol without it knows no users. */
  countUsers?(): number;
}

/**
 * Everything that the gateway has to know about a client protocol. The application passes a list of definitions to
 * `GatewayModule.forRoot`, so that a protocol is one folder and one line in that list.
 */
export interface ProtocolDefinition extends ConnectionProtocol {
  /** Where its WebSockets are served. A segment that begins with `:` is a parameter, as in `/t/:room`. */
  readonly paths: readonly string[];
  /** Further paths, which the settings of the gateway name. */
  readonly pathsOf?: (gatewayOptions: object) => readonly string[];
  /** The WebSocket subprotocols that it speaks. If there are none, a client is granted the first one that it offers. */
  readonly subprotocols?: readonly string[];
  /** Its part of the gateway's settings. */
  readonly settings?: ProtocolSettings;
  /** Its HTTP routes. */
  readonly controllers?: readonly Type[];
  readonly useClass: Type<Protocol>;
  /** Further providers that `useClass` needs. */
  readonly providers?: readonly Provider[];
}
