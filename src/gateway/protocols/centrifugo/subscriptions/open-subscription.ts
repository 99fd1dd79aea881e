import {
  featuresOf,
  type ChannelRule,
  type StreamPosition,
  type RequestedFeatures,
} from '../../../../delivery/index.js';
import { closeCodes } from '../close-codes.js';
import { settlesWithin } from '../../../../async/index.js';
import { noGrant, type SubscriptionGrant } from '../../../auth/tokens/claims.js';
import { ClientSubscription } from './client-subscription.js';
import { CommandRefusedError, replyErrors, SubscribeTimeoutError } from '../centrifugo.errors.js';
import { expiryOf } from '../handlers/expiry.js';
import { isEncodable } from '../codec/publication-formats.js';
import type { SubscribeResult } from '../codec/replies.js';
import type { Session, SessionHost } from '../session/session.js';
import type { TagsFilter } from './tags-filter.js';

/** A subscription that is to begin, once it is settled that it may. */
export interface Admission {
  readonly channel: string;
  readonly rule: ChannelRule;
  readonly serverSide?: boolean;
  readonly fromToken?: boolean;
  /** What a token or the API says of it. */
  readonly grant?: SubscriptionGrant;
  /** Unix time in seconds; 0 for never. */
  readonly expireAt?: number;
  readonly requested?: RequestedFeatures;
  readonly filter?: TagsFilter | undefined;
  /** The client can do with differences. */
  readonly delta?: boolean;
  /** Where the client left off. */
  readonly since?: StreamPosition | undefined;
}

export interface OpenedSubscription {
  readonly subscription: ClientSubscription;
  readonly result: SubscribeResult;
}

const NOTHING_REQUESTED: RequestedFeatures = { positioned: false, recoverable: false, joinLeave: false };

/**
 * Makes a subscription and begins it. It belongs to the session from the call on, so that a second one to the channel
 * is told from the first. Whoever has the answer tells the client and calls `goLive` in the same turn.
 * @throws CommandRefusedError where there is one already; SubscribeTimeoutError, and what the stores throw: then it has ended
 */
export async function openSubscription(
  session: Session,
  host: SessionHost,
  admission: Admission,
): Promise<OpenedSubscription> {
  const { grant = noGrant, since, channel } = admission;
  if (session.subscriptions.get(channel)) throw new CommandRefusedError(replyErrors.alreadySubscribed);
  const subscription = new ClientSubscription(termsOf(session, host, admission), session, host);
  session.subscriptions.add(subscription);
  try {
    let result: SubscribeResult | undefined;
    const begin = subscription.begin(since).then((begun) => (result = begun));
    await settlesWithin(host.options.subscribeTimeoutMs, begin);
    if (result === undefined) throw new SubscribeTimeoutError();
    if (grant.data !== undefined && !isEncodable(session.encoding, [{ format: 'binary', data: grant.data }]))
      session.close(closeCodes.inappropriateProtocol);
    return { subscription, result: { ...result, ...expiryOf(subscription.expireAt), data: grant.data } };
  } catch (error) {
    subscription.end();
    throw error;
  }
}

function termsOf(session: Session, host: SessionHost, admission: Admission) {
  const { channel, rule, serverSide = false, fromToken = false, grant = noGrant, filter } = admission;
  const client = { user: session.user, insecure: host.options.insecure };
  return {
    channel,
    rule,
    serverSide,
    fromToken,
    filter,
    features: featuresOf(rule, client, admission.requested ?? NOTHING_REQUESTED, grant.override),
    // The token's own bytes would be kept with it.
    info: grant.info && Buffer.copyBytesFrom(grant.info),
    expireAt: admission.expireAt ?? 0,
    // A publication that is filtered out could not be the base of the next.
    delta:
      (admission.delta ?? false) && filter === undefined && rule.options.allowedDeltaTypes.includes('fossil'),
  };
}
