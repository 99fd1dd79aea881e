import { Module } from '@nestjs/common';
import { ChannelRules } from '../delivery/index.js';
import {
  APPLICATION_AUTHORIZERS,
  AuthorizerChain,
  RulesAuthorizer,
  TokenAuthorizer,
  type ApplicationAuthorizers,
} from '../gateway/index.js';
import { CallbackRules } from './callback-rules.js';
import { CallbackService } from './callback-service.js';
import { CallbacksController } from './callbacks.controller.js';
import { callbackInstruments, CallbackMetrics } from './callbacks.metrics.js';
import {
  CALLBACKS_OPTIONS,
  ConfigurableCallbacksModule,
  type CallbacksModuleOptions,
} from './callbacks.module-definition.js';
import { ExpiryAuthorizer } from './expiry.authorizer.js';

/**
 * The callback service of a Centrifugo: what its clients may do is decided here, by the same authorizers that decide about clients of
 * this server. It needs the modules HTTP, bus and delivery.
 */
@Module({
  controllers: [CallbacksController],
  providers: [
    CallbackService,
    CallbackMetrics,
    ...callbackInstruments,
    {
      provide: CallbackRules,
      useFactory: (rules: ChannelRules) => new CallbackRules(rules),
      inject: [ChannelRules],
    },
    {
      provide: AuthorizerChain,
      useFactory: chain,
      inject: [CALLBACKS_OPTIONS, APPLICATION_AUTHORIZERS, ChannelRules],
    },
  ],
})
export class CallbacksModule extends ConfigurableCallbacksModule {}

function chain(
  { tokens, allowAnonymous, authorizerTimeoutMs }: CallbacksModuleOptions,
  application: ApplicationAuthorizers,
  rules: ChannelRules,
): AuthorizerChain {
  const ruled = {
    allowAnonymousConnectWithoutToken: allowAnonymous,
    insecure: false,
    personalChannel: { enabled: false, namespace: '' },
  };
  const defaults = [
    new TokenAuthorizer({ tokens, disallowAnonymousConnectionTokens: !allowAnonymous }),
    new RulesAuthorizer(ruled, rules),
    new ExpiryAuthorizer(),
  ];
  return AuthorizerChain.compose(application, defaults, authorizerTimeoutMs);
}
