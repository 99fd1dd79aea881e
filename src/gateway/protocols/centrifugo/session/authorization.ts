import { Inject, Injectable } from '@nestjs/common';
import { ChannelRules } from '../../../../delivery/index.js';
import type { AuthorizerChain } from '../../../auth/authorizer-chain.js';
import { Authorizers } from '../../../auth/authorizers.js';
import { RulesAuthorizer } from '../../../auth/rules/rules.authorizer.js';
import { TokenAuthorizer } from '../../../auth/tokens/token.authorizer.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../../../gateway.module-definition.js';
import { clientSettings } from '../centrifugo.options.js';

/** Creates the authorizers of the protocol: by default tokens, and the channel options for attempts without a token. */
@Injectable()
export class Authorization {
  readonly authorizer: AuthorizerChain;

  constructor(
    @Inject(GATEWAY_MODULE_OPTIONS) options: GatewayModuleOptions,
    readonly rules: ChannelRules,
    readonly authorizers: Authorizers,
  ) {
    const client = clientSettings.of(options);
    this.authorizer = authorizers.chain(new TokenAuthorizer(client), new RulesAuthorizer(client, rules));
  }
}
