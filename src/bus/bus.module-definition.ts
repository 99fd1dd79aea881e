import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { BusOptions } from './bus.options.js';

export const { ConfigurableModuleClass: ConfigurableBusModule, MODULE_OPTIONS_TOKEN: BUS_OPTIONS } =
  new ConfigurableModuleBuilder<BusOptions>({ moduleName: 'Bus' }).setClassMethodName('forRoot').build();
