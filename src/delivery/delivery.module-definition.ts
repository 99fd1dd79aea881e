import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { DeliveryModuleOptions } from './delivery.options.js';

export const { ConfigurableModuleClass: ConfigurableDeliveryModule, MODULE_OPTIONS_TOKEN: DELIVERY_OPTIONS } =
  new ConfigurableModuleBuilder<DeliveryModuleOptions>({ moduleName: 'Delivery' })
    .setClassMethodName('forRoot')
    .build();
