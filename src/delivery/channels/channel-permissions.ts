import type { ChannelOptions } from './channel-options.js';
import type { ChannelRule, ChannelRules } from './channel-rules.js';

/** Who asks for something in a channel. */
export interface Requester {
  /** Empty for an anonymous client. */
  readonly user: string;
  readonly subscribed: boolean;
  /** The server lets clients do anything: for development only. */
  readonly insecure: boolean;
}

/** How to decide on a subscription. A token or a proxy has the last word where it is called for. */
export type SubscribeDecision = 'verifyToken' | 'askProxy' | 'allow' | 'deny';
export type PublishDecision = 'askProxy' | 'allow' | 'deny';

export interface SubscribeAttempt {
  readonly channel: string;
  readonly user: string;
  readonly hasToken: boolean;
  readonly insecure: boolean;
}

export function decideSubscribe(
  rules: ChannelRules,
  rule: ChannelRule,
  attempt: SubscribeAttempt,
): SubscribeDecision {
  const { channel, user, hasToken, insecure } = attempt;
  const { options } = rule;
  if (hasToken) return 'verifyToken';
  if (rules.isPrivate(channel)) return 'deny';
  const limited = rules.isUserLimited(channel, rule);
  if (limited && rules.lists(channel, user)) return 'allow';
  if (!limited && options.subscribeProxyEnabled) return 'askProxy';
  const open = options.allowSubscribeForClient && (user !== '' || options.allowSubscribeForAnonymous);
  return (open && !limited) || insecure ? 'allow' : 'deny';
}

export function decidePublish({ options }: ChannelRule, requester: Requester): PublishDecision {
  if (options.publishProxyEnabled) return 'askProxy';
  return mayUse(options, 'Publish', requester) ? 'allow' : 'deny';
}

/** Whether a client may see who is in the channel, where presence is on. */
export function mayReadPresence({ options }: ChannelRule, requester: Requester): boolean {
  return mayUse(options, 'Presence', requester);
}

/** Whether a client may read the history, where there is one. */
export function mayReadHistory({ options }: ChannelRule, requester: Requester): boolean {
  return mayUse(options, 'History', requester);
}

function mayUse(
  options: ChannelOptions,
  what: 'Publish' | 'Presence' | 'History',
  requester: Requester,
): boolean {
  if (requester.insecure) return true;
  if (requester.user === '' && !options[`allow${what}ForAnonymous`]) return false;
  return options[`allow${what}ForClient`] || (requester.subscribed && options[`allow${what}ForSubscriber`]);
}
