import { ConfigurableModuleBuilder } from '@nestjs/common';
import {
  applicationAuthorizersProvider,
  type AuthorizerExtensions,
  type TokensOptions,
} from '../gateway/index.js';
import type { CallbacksOptions } from './callbacks.options.js';

export interface CallbacksModuleOptions extends Omit<CallbacksOptions, 'tokens'> {
  /** Which tokens of clients are accepted. */
  readonly tokens: TokensOptions;
  /** Names of the headers of a callback that authorizers receive: those that the Centrifugo forwards from its clients. */
  readonly forwardedHeaders: readonly string[];
  readonly authorizerTimeoutMs: number;
}

export const {
  ConfigurableModuleClass: ConfigurableCallbacksModule,
  MODULE_OPTIONS_TOKEN: CALLBACKS_OPTIONS,
} = new ConfigurableModuleBuilder<CallbacksModuleOptions>({ moduleName: 'Callbacks' })
  .setClassMethodName('forRoot')
  .setExtras<AuthorizerExtensions>(
    { imports: [], authorizers: [], replaceDefaultAuthorizers: false },
    ({ imports = [], providers = [], ...definition }, { imports: added = [], ...extensions }) => ({
      ...definition,
      imports: [...imports, ...added],
      providers: [...providers, applicationAuthorizersProvider(extensions)],
    }),
  )
  .build();
