import type { ChannelOptions } from './channel-options.js';
import type { ChannelRule, ChannelRules } from './channel-rules.js';

/** Who asks for something in a channel. */
export interface Asker {
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

export function decidePublish({ options }: ChannelRule, asker: Asker): PublishDecision {
  if (options.publishProxyEnabled) return 'askProxy';
  return mayUse(options, 'Publish', asker) ? 'allow' : 'deny';
}

/** Whether a client may see who is in the channel, where presence is on. */
export function mayReadPresence({ options }: ChannelRule, asker: Asker): boolean {
  return mayUse(options, 'Presence', asker);
}

/** Whether a client may read the history, where there is one. */
export function mayReadHistory({ options }: ChannelRule, asker: Asker): boolean {
  return mayUse(options, 'History', asker);
}

function mayUse(options: ChannelOptions, what: 'Publish' | 'Presence' | 'History', asker: Asker): boolean {
  if (asker.insecure) return true;
  if (asker.user === '' && !options[`allow${what}ForAnonymous`]) return false;
  return options[`allow${what}ForClient`] || (asker.subscribed && options[`allow${what}ForSubscriber`]);
}
