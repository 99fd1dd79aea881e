import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { WebhooksOptions } from './webhooks.options.js';

export const { ConfigurableModuleClass: ConfigurableWebhooksModule, MODULE_OPTIONS_TOKEN: WEBHOOKS_OPTIONS } =
  new ConfigurableModuleBuilder<WebhooksOptions>({ moduleName: 'Webhooks' })
    .setClassMethodName('forRoot')
    .build();
