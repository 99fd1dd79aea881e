import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { TriggerOptions } from './trigger.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: TRIGGER_OPTIONS } =
  new ConfigurableModuleBuilder<TriggerOptions>({ moduleName: 'Trigger' })
    .setClassMethodName('forRoot')
    .build();
