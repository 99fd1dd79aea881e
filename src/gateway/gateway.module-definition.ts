import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { GatewayOptions } from './gateway.options.js';

/** The room's own options, and what it shares with the other edge. */
export interface GatewayModuleOptions extends GatewayOptions {
  /** Addresses, CIDR ranges or `loopback`, `linklocal`, `uniquelocal`: whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Of the program: clients of the Centrifugo protocol are told. */
  readonly version?: string;
}

export const {
  ConfigurableModuleClass: ConfigurableGatewayModule,
  MODULE_OPTIONS_TOKEN: GATEWAY_MODULE_OPTIONS,
} = new ConfigurableModuleBuilder<GatewayModuleOptions>({ moduleName: 'Gateway' })
  .setClassMethodName('forRoot')
  .build();
