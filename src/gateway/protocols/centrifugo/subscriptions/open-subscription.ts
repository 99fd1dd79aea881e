import {
  featuresOf,
  type ChannelRule,
  type StreamPosition,
  type RequestedFeatures,
} from '../../../../delivery/index.js';
import { closeCodes } from '../close-codes.js';
import { settlesWithin } from '../../../../async/index.js';
import type { SubscriptionGrant } from '../../../auth/decisions.js';
import { ClientSubscription } from './client-subscription.js';
import { CommandRefusedError, replyErrors, SubscribeTimeoutError } from '../centrifugo.errors.js';
import { expiryOf } from '../handlers/expiry.js';
import { isEncodable } from '../codec/publication-formats.js';
import type { SubscribeResult } from '../codec/replies.js';
import type { Session, SessionHost } from '../session/session.js';
import type { TagsFilter } from './tags-filter.js';

/** A subscription that is authorized and may begin. */
export interface ApprovedSubscription {
  readonly channel: string;
  readonly rule: ChannelRule;
  readonly serverSide?: boolean;
  /** The decision about the client's connect includes it. */
  readonly grantedAtConnect?: boolean;
  readonly grant?: SubscriptionGrant;
  /** Unix time in seconds; 0 for never. */
  readonly expireAt?: number;
  readonly requested?: RequestedFeatures;
  readonly filter?: TagsFilter | undefined;
  /** The client understands deltas. */
  readonly delta?: boolean;
  /** The client's last position. */
  readonly since?: StreamPosition | undefined;
}

export interface OpenedSubscription {
  readonly subscription: ClientSubscription;
  readonly result: SubscribeResult;
}

const NOTHING_REQUESTED: RequestedFeatures = { positioned: false, recoverable: false, joinLeave: false };

const NO_GRANT: SubscriptionGrant = {};

/**
 * Creates a subscription and begins it. It belongs to the session from this call on, so that a second subscription to the channel is
 * refused. The caller sends the result to the client and calls `goLive` in the same turn.
 * @throws CommandRefusedError if the session has a subscription to the channel
 * @throws SubscribeTimeoutError and what the stores throw, after ending the subscription
 */
export async function openSubscription(
  session: Session,
  host: SessionHost,
  approved: ApprovedSubscription,
): Promise<OpenedSubscription> {
  const { grant = NO_GRANT, since, channel } = approved;
  if (session.subscriptions.get(channel)) throw new CommandRefusedError(replyErrors.alreadySubscribed);
  const subscription = new ClientSubscription(termsOf(session, host, approved), session, host);
  session.subscriptions.add(subscription);
  try {
    let result: SubscribeResult | undefined;
    const begin = subscription.begin(since).then((begun) => (result = begun));
    await settlesWithin(host.options.subscribeTimeoutMs, begin);
    if (result === undefined) throw new SubscribeTimeoutError();
    if (!isEncodable(session.encoding, grant.data)) session.close(closeCodes.inappropriateProtocol);
    // The client has to know the expiry only if it renews the subscription itself.
    const expiry = subscription.isRenewedByServer ? {} : expiryOf(subscription.expireAt);
    return { subscription, result: { ...result, ...expiry, data: grant.data } };
  } catch (error) {
    subscription.end();
    throw error;
  }
}

function termsOf(session: Session, host: SessionHost, approved: ApprovedSubscription) {
  const { channel, rule, serverSide = false, grantedAtConnect = false, grant = NO_GRANT, filter } = approved;
  const client = { user: session.user, insecure: host.options.insecure };
  return {
    channel,
    rule,
    serverSide,
    grantedAtConnect,
    filter,
    features: featuresOf(rule, client, approved.requested ?? NOTHING_REQUESTED, grant.override),
    // A copy: otherwise all bytes of the token would be kept with it.
    info: grant.info && Buffer.copyBytesFrom(grant.info),
    expireAt: approved.expireAt ?? 0,
    renewedByServer: host.renewal.ofSubscriptions(rule),
    // A delta needs the publication before, which the filter may have dropped.
    delta:
      (approved.delta ?? false) && filter === undefined && rule.options.allowedDeltaTypes.includes('fossil'),
  };
}
