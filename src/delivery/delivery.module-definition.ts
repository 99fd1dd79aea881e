import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { DeliveryOptions } from './delivery.options.js';

export const { ConfigurableModuleClass: ConfigurableDeliveryModule, MODULE_OPTIONS_TOKEN: DELIVERY_OPTIONS } =
  new ConfigurableModuleBuilder<DeliveryOptions>({ moduleName: 'Delivery' })
    .setClassMethodName('forRoot')
    .build();
