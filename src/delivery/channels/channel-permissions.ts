import type { ChannelOptions } from './channel-options.js';
import type { ChannelRule, ChannelRules } from './channel-rules.js';

/** The client that asks for something in a channel. */
export interface Requester {
  /** Empty for an anonymous client. */
  readonly user: string;
  readonly subscribed: boolean;
  /** Clients may do anything: for development only. */
  readonly insecure: boolean;
}

/** Whether the options of a channel allow something. `askProxy`: they leave it to a proxy. */
export type ChannelDecision = 'askProxy' | 'allow' | 'deny';

export interface SubscribeRequester extends Omit<Requester, 'subscribed'> {
  readonly channel: string;
}

/** Whether a client may subscribe without a token. */
export function decideSubscribe(
  rules: ChannelRules,
  rule: ChannelRule,
  { channel, user, insecure }: SubscribeRequester,
): ChannelDecision {
  const { options } = rule;
  if (rules.isPrivate(channel)) return 'deny';
  const limited = rules.isUserLimited(channel, rule);
  if (limited && rules.lists(channel, user)) return 'allow';
  if (!limited && options.subscribeProxyEnabled) return 'askProxy';
  const open = options.allowSubscribeForClient && (user !== '' || options.allowSubscribeForAnonymous);
  return (open && !limited) || insecure ? 'allow' : 'deny';
}

/** Whether a client may publish. */
export function decidePublish({ options }: ChannelRule, requester: Requester): ChannelDecision {
  if (options.publishProxyEnabled) return 'askProxy';
  return mayUse(options, 'Publish', requester) ? 'allow' : 'deny';
}

/** Whether a client may read the presence, if the channel has one. */
export function mayReadPresence({ options }: ChannelRule, requester: Requester): boolean {
  return mayUse(options, 'Presence', requester);
}

/** Whether a client may read the history, if the channel has one. */
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
