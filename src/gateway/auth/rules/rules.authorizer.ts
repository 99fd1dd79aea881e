import {
  decidePublish,
  decideSubscribe,
  type ChannelDecision,
  type ChannelRules,
  type PersonalChannelOptions,
} from '../../../delivery/index.js';
import type { ConnectAttempt, PublishAttempt, SubscribeAttempt } from '../attempts.js';
import type { Authorizer } from '../authorizer.port.js';
import {
  refused,
  type Abstained,
  type ConnectDecision,
  type Refusal,
  type PublishDecision,
  type SubscribeDecision,
} from '../decisions.js';

export interface RulesAuthorizerOptions {
  readonly allowAnonymousConnectWithoutToken: boolean;
  /** Allow everything, for development. */
  readonly insecure: boolean;
  readonly personalChannel: PersonalChannelOptions;
}

/**
 * Decides about attempts without a token by what the configuration allows: anonymous connections, and subscriptions and
 * publications by the options of the channel.
 */
export class RulesAuthorizer implements Authorizer {
  readonly #decisions: Readonly<Record<ChannelDecision, typeof allowed | Refusal | Abstained>>;

  /** @param askProxy the decision where the options leave it to a proxy */
  constructor(
    private readonly options: RulesAuthorizerOptions,
    private readonly rules: ChannelRules,
    askProxy: Refusal | Abstained = refused('notAvailable'),
  ) {
    this.#decisions = { allow: allowed, deny: refused('permissionDenied'), askProxy };
  }

  connect(_attempt: ConnectAttempt): ConnectDecision {
    const { insecure, allowAnonymousConnectWithoutToken } = this.options;
    return insecure || allowAnonymousConnectWithoutToken ? allowed : refused('noCredentials');
  }

  subscribe({ channel, user, rule }: SubscribeAttempt): SubscribeDecision {
    const { insecure, personalChannel } = this.options;
    if (this.rules.isPersonalOfOther(channel, user, personalChannel))
      return refused('permissionDenied', 'the personal channel of another user');
    return this.#decisions[decideSubscribe(this.rules, rule, { channel, user, insecure })];
  }

  publish({ rule, user, isSubscribed }: PublishAttempt): PublishDecision {
    const { insecure } = this.options;
    return this.#decisions[decidePublish(rule, { user, subscribed: isSubscribed, insecure })];
  }
}

const allowed = { outcome: 'allowed' } as const;
