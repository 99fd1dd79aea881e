import { Inject, Injectable } from '@nestjs/common';
import { ChannelRules, type ChannelRule } from '../../../../delivery/index.js';
import { Webhooks } from '../../../../webhooks/index.js';
import type { ClientContext } from '../../../auth/attempts.js';
import type { AuthorizerChain } from '../../../auth/authorizer-chain.js';
import { Authorizers } from '../../../auth/authorizers.js';
import type { DescribedHandshake } from '../../../auth/client-context.js';
import { abstained } from '../../../auth/decisions.js';
import { ChannelProxiesAuthorizer } from '../../../auth/proxies/channel-proxies.authorizer.js';
import { ConnectionProxiesAuthorizer } from '../../../auth/proxies/connection-proxies.authorizer.js';
import { Proxies } from '../../../auth/proxies/proxies.js';
import { RulesAuthorizer } from '../../../auth/rules/rules.authorizer.js';
import { TokenAuthorizer } from '../../../auth/tokens/token.authorizer.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../../../gateway.module-definition.js';
import { clientSettings, type ClientOptions } from '../centrifugo.options.js';

/**
 * Creates the authorizers of the protocol. By default, tokens decide. Without a token, the backend of the connect proxy decides about
 * a connection, and the channel options about everything else, unless they leave it to the backend of a proxy.
 */
@Injectable()
export class Authorization {
  readonly authorizer: AuthorizerChain;
  readonly #proxies: Proxies;
  readonly #options: ClientOptions;

  constructor(
    @Inject(GATEWAY_MODULE_OPTIONS) options: GatewayModuleOptions,
    readonly rules: ChannelRules,
    private readonly authorizers: Authorizers,
    webhooks: Webhooks,
  ) {
    const client = clientSettings.of(options);
    this.#options = client;
    this.#proxies = new Proxies(client.proxies, webhooks);
    this.authorizer = authorizers.chain(
      new TokenAuthorizer(client),
      new ConnectionProxiesAuthorizer(this.#proxies),
      new RulesAuthorizer(client, rules, abstained),
      new ChannelProxiesAuthorizer(this.#proxies, rules),
    );
  }

  /** Whether anything reads the meta of a client after its connect. */
  get readsContext(): boolean {
    return this.authorizers.readsContext || this.#proxies.areUsed;
  }

  contextOf(handshake: DescribedHandshake, encoding: string): ClientContext {
    return this.authorizers.contextOf(handshake, encoding, this.#proxies.areUsed);
  }

  /** Whether a backend renews connections that expire, and clients do not. */
  get renewsConnections(): boolean {
    return this.#options.proxies.refresh !== undefined;
  }

  /** Whether a backend renews subscriptions that expire, and clients do not. */
  renewsSubscriptions({ options }: ChannelRule): boolean {
    return options.subRefreshProxyEnabled;
  }
}
