import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { HttpModuleOptions } from './http.options.js';

export const { ConfigurableModuleClass: ConfigurableHttpModule, MODULE_OPTIONS_TOKEN: HTTP_OPTIONS } =
  new ConfigurableModuleBuilder<HttpModuleOptions>({ moduleName: 'Http' })
    .setClassMethodName('forRoot')
    .build();
