import { mayReadHistory, mayReadPresence, type Requester } from './channel-permissions.js';
import type { ChannelRule } from './channel-rules.js';

/** Channel options that a token, an authorizer or the server API may override for one subscription. */
export interface SubscriptionOverride {
  readonly presence?: boolean;
  readonly joinLeave?: boolean;
  readonly forcePushJoinLeave?: boolean;
  readonly forceRecovery?: boolean;
  readonly forcePositioning?: boolean;
}

/** The features that a client requests when it subscribes. Features that it may not have are ignored without an error. */
export interface RequestedFeatures {
  readonly positioned: boolean;
  readonly recoverable: boolean;
  readonly joinLeave: boolean;
}

export interface SubscriptionFeatures {
  /** The subscriber is listed in the channel's presence. */
  readonly presence: boolean;
  /** Its join and its leave are published. */
  readonly joinLeave: boolean;
  /** It receives joins and leaves. */
  readonly pushJoinLeave: boolean;
  /** It receives its position and is checked for lost publications. */
  readonly positioning: boolean;
  /** It receives the publications that it missed. Implies positioning. */
  readonly recovery: boolean;
}

export function featuresOf(
  rule: ChannelRule,
  client: Omit<Requester, 'subscribed'>,
  requested: RequestedFeatures,
  override: SubscriptionOverride = {},
): SubscriptionFeatures {
  const { options } = rule;
  const requester = { ...client, subscribed: true };
  const readsHistory = rule.keepsHistory && mayReadHistory(rule, requester);
  const seesOthers = options.joinLeave && mayReadPresence(rule, requester);
  // Without a history, missed publications cannot be detected.
  const recovery =
    rule.keepsHistory &&
    ((override.forceRecovery ?? options.forceRecovery) ||
      (requested.recoverable && (options.allowRecovery || readsHistory)));
  return {
    presence: override.presence ?? options.presence,
    joinLeave: override.joinLeave ?? options.joinLeave,
    pushJoinLeave:
      (override.forcePushJoinLeave ?? options.forcePushJoinLeave) || (requested.joinLeave && seesOthers),
    positioning:
      recovery ||
      (override.forcePositioning ?? options.forcePositioning) ||
      (requested.positioned && (options.allowPositioning || readsHistory)),
    recovery,
  };
}
