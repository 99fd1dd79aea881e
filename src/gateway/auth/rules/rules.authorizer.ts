import {
  decidePublish,
  decideSubscribe,
  type ChannelRules,
  type PersonalChannelOptions,
} from '../../../delivery/index.js';
import type { ConnectAttempt, PublishAttempt, SubscribeAttempt } from '../attempts.js';
import type { Authorizer } from '../authorizer.port.js';
import { refused, type ConnectDecision, type PublishDecision, type SubscribeDecision } from '../decisions.js';

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
  constructor(
    private readonly options: RulesAuthorizerOptions,
    private readonly rules: ChannelRules,
  ) {}

  connect(_attempt: ConnectAttempt): ConnectDecision {
    const { insecure, allowAnonymousConnectWithoutToken } = this.options;
    return insecure || allowAnonymousConnectWithoutToken ? allowed : refused('noCredentials');
  }

  subscribe({ channel, user, rule }: SubscribeAttempt): SubscribeDecision {
    const { insecure, personalChannel } = this.options;
    if (this.rules.isPersonalOfOther(channel, user, personalChannel))
      return refused('permissionDenied', 'the personal channel of another user');
    return decisions[decideSubscribe(this.rules, rule, { channel, user, insecure })];
  }

  publish({ rule, user, isSubscribed }: PublishAttempt): PublishDecision {
    const { insecure } = this.options;
    return decisions[decidePublish(rule, { user, subscribed: isSubscribed, insecure })];
  }
}

const allowed = { outcome: 'allowed' } as const;

const decisions = {
  allow: allowed,
  deny: refused('permissionDenied'),
  // The options name a proxy, but there is none.
  askProxy: refused('notAvailable'),
};
