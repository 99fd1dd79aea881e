import type { Provider } from '@nestjs/common';
import type { Protocol, ProtocolDefinition } from './protocol.js';
import { requireDistinct } from './protocol-conflict.js';
import { Protocols } from './protocols.js';

/**
 * Returns the providers with which Nest creates the protocols of a list.
 * @throws ProtocolConflictError
 */
export function protocolProviders(definitions: readonly ProtocolDefinition[]): Provider[] {
  requireDistinct(definitions);
  return [
    ...definitions.flatMap(({ useClass, providers = [] }) => [useClass, ...providers]),
    {
      provide: Protocols,
      inject: definitions.map(({ useClass }) => useClass),
      useFactory: (...created: Protocol[]) =>
        new Protocols(
          definitions.flatMap((definition, at) => {
            const protocol = created[at];
            return protocol === undefined ? [] : [{ definition, protocol }];
          }),
        ),
    },
  ];
}
