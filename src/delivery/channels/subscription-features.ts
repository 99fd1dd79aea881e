import { mayReadHistory, mayReadPresence, type Requester } from './channel-permissions.js';
import type { ChannelRule } from './channel-rules.js';

/** Options of the channel that a token, a proxy or the API may set differently for one subscription. */
export interface SubscriptionOverride {
  readonly presence?: boolean;
  readonly joinLeave?: boolean;
  readonly forcePushJoinLeave?: boolean;
  readonly forceRecovery?: boolean;
  readonly forcePositioning?: boolean;
}

/** What a client may ask for when it subscribes. What it may not have is left out without an error. */
export interface RequestedFeatures {
  readonly positioned: boolean;
  readonly recoverable: boolean;
  readonly joinLeave: boolean;
}

export interface SubscriptionFeatures {
  /** The subscriber shows up in the channel's presence. */
  readonly presence: boolean;
  /** Its coming and going is announced. */
  readonly joinLeave: boolean;
  /** It hears of others' coming and going. */
  readonly pushJoinLeave: boolean;
  /** It is told where it stands, and is watched for lost publications. */
  readonly positioning: boolean;
  /** It gets what it missed. Implies positioning. */
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
  // Without a history nobody could say whether something was missed.
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
