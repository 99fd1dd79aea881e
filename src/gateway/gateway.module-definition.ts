import { ConfigurableModuleBuilder } from '@nestjs/common';
import { applicationAuthorizersProvider, type AuthorizerExtensions } from './auth/application-authorizers.js';
import type { GatewayOptions } from './gateway.options.js';
import { protocolProviders } from './protocols/protocol-providers.js';
import type { ProtocolDefinition } from './protocols/protocol.js';
import { createUpgradeRequiredController } from './websocket/upgrade-required.controller.js';

/** The gateway's own settings, those of its protocols under their keys, and what it shares with the other edge. */
export interface GatewayModuleOptions extends GatewayOptions {
  /** Addresses, CIDR ranges or `loopback`, `linklocal`, `uniquelocal`: proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Whether clients behind another proxy may share an identity. */
  readonly allowUntrustedProxies?: boolean;
  /** The version of the program, which a protocol may send to its clients. */
  readonly version?: string;
}

/** The protocols and authorizers that an application adds to the gateway. */
export interface GatewayExtensions extends AuthorizerExtensions {
  /** The client protocols that are served. */
  readonly protocols?: readonly ProtocolDefinition[];
}

export const {
  ConfigurableModuleClass: ConfigurableGatewayModule,
  MODULE_OPTIONS_TOKEN: GATEWAY_MODULE_OPTIONS,
} = new ConfigurableModuleBuilder<GatewayModuleOptions>({ moduleName: 'Gateway' })
  .setClassMethodName('forRoot')
  .setExtras<GatewayExtensions>(
    { imports: [], authorizers: [], replaceDefaultAuthorizers: false },
    ({ imports, providers = [], ...definition }, { protocols: given = [], imports: added = [], ...rest }) => {
      const protocols = given.map((each) => withConfiguredPaths(each, rest));
      return {
        ...definition,
        imports: [...(imports ?? []), ...added],
        controllers: [
          createUpgradeRequiredController(protocols.flatMap(({ paths }) => paths)),
          ...protocols.flatMap(({ controllers = [] }) => controllers),
        ],
        providers: [...providers, ...protocolProviders(protocols), applicationAuthorizersProvider(rest)],
      };
    },
  )
  .build();

/** @param options of the gateway, which are among those of the module */
function withConfiguredPaths(definition: ProtocolDefinition, options: object): ProtocolDefinition {
  const configured = definition.pathsOf?.(options);
  return configured === undefined
    ? definition
    : { ...definition, paths: [...definition.paths, ...configured] };
}
