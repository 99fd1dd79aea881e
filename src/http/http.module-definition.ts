import { ConfigurableModuleBuilder } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { CarillonErrorFilter, HttpErrorFilter } from './http-error.filter.js';
import type { HttpModuleOptions } from './http.options.js';

export interface HttpModuleExtras {
  /** Whether the routes of an application are beside those of Carillon. Its errors then keep their own format. */
  readonly isEmbedded?: boolean;
}

export const { ConfigurableModuleClass: ConfigurableHttpModule, MODULE_OPTIONS_TOKEN: HTTP_OPTIONS } =
  new ConfigurableModuleBuilder<HttpModuleOptions>({ moduleName: 'Http' })
    .setClassMethodName('forRoot')
    .setExtras<HttpModuleExtras>(
      { isEmbedded: false },
      ({ providers = [], ...definition }, { isEmbedded = false }) => ({
        ...definition,
        providers: [
          ...providers,
          { provide: APP_FILTER, useClass: isEmbedded ? CarillonErrorFilter : HttpErrorFilter },
        ],
      }),
    )
    .build();
