import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { TriggerOptions } from './trigger.options.js';

export interface TriggerModuleOptions extends TriggerOptions {
  /** Proxies whose X-Forwarded-For is believed, as `trustedProxies` of the server options lists them. */
  readonly trustedProxies: readonly string[];
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: TRIGGER_OPTIONS } =
  new ConfigurableModuleBuilder<TriggerModuleOptions>({ moduleName: 'Trigger' })
    .setClassMethodName('forRoot')
    .build();
