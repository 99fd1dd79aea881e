import type { SubscriptionGrant } from '../../../auth/decisions.js';
import type { ChannelRule } from '../../../../delivery/index.js';
import { closeCodes } from '../close-codes.js';
import type { ConnectRequest, SubscribeRequest } from '../codec/commands.js';
import { DisconnectError } from '../centrifugo.errors.js';
import type { Session } from '../session/session.js';
import type { ApprovedSubscription } from '../subscriptions/open-subscription.js';
import { attemptOf } from './attempts.js';
import { ruleOfGiven } from './channel-checks.js';
import { hasExpired } from './expiry.js';
import type { HandlerDependencies } from './handler-dependencies.js';
import { allowance } from './refusals.js';
import { sinceOf } from './subscribe-handler.js';

export type ServerSubscriptions = Map<string, ApprovedSubscription>;

const NO_GRANT: SubscriptionGrant = {};

/**
 * The subscriptions that the server makes when a client connects: the channels of the authorizer's decision, and the personal
 * channel.
 * @throws CommandRefusedError
 */
export function serverSubscriptions(
  { rules, options }: HandlerDependencies,
  { user }: Session,
  granted: ReadonlyMap<string, SubscriptionGrant> = NO_CHANNELS,
  { subs }: ConnectRequest,
): ServerSubscriptions {
  const subscriptions: ServerSubscriptions = new Map();
  for (const [channel, grant] of granted) {
    const rule = ruleOfGiven(rules, channel);
    subscriptions.set(channel, { ...serverSide(channel, rule, subs, grant), grantedAtConnect: true });
  }
  if (options.personalChannel.enabled && user !== '') {
    const channel = rules.personalChannel(options.personalChannel.namespace, user);
    if (!subscriptions.has(channel))
      subscriptions.set(channel, serverSide(channel, ruleOfGiven(rules, channel), subs));
  }
  return subscriptions;
}

const NO_CHANNELS: ReadonlyMap<string, SubscriptionGrant> = new Map();

/**
 * Adds the channels that the client names in its connect command, if it may subscribe to them. The others are left out. They are
 * asked about one after another, until the client has more channels than it may have.
 * @throws DisconnectError
 */
export async function addRequestedChannels(
  { rules, options, authorizer }: HandlerDependencies,
  session: Session,
  subscriptions: ServerSubscriptions,
  { subs }: ConnectRequest,
): Promise<void> {
  for (const [channel, { data }] of subs) {
    if (subscriptions.has(channel)) continue;
    if (session.isOver || subscriptions.size > options.channelLimit) return;
    const rule = rules.findForClient(channel);
    if (rule === 'unknownNamespace') throw new DisconnectError(closeCodes.badRequest);
    if (typeof rule === 'string' || channel === '') continue;
    const asked = authorizer.subscribe({
      ...attemptOf(session),
      channel,
      rule,
      token: '',
      data,
      atConnect: true,
    });
    const decision = 'outcome' in asked ? asked : await asked;
    if (decision.outcome === 'disconnect') allowance('subscribe', decision);
    if (decision.outcome !== 'allowed' || hasExpired(decision.expireAt)) continue;
    const { expireAt = 0 } = decision;
    subscriptions.set(channel, { ...serverSide(channel, rule, subs, decision), expireAt });
  }
}

/** Whether the channels are those of the decision about the client's connect. */
export function areGrantedAtConnect(
  { subscriptions }: Session,
  channels: ReadonlyMap<string, SubscriptionGrant>,
): boolean {
  let common = 0;
  for (const each of subscriptions) {
    if (!each.isGrantedAtConnect) continue;
    if (!channels.has(each.channel)) return false;
    common++;
  }
  return common === channels.size;
}

function serverSide(
  channel: string,
  rule: ChannelRule,
  subs: ReadonlyMap<string, SubscribeRequest>,
  grant = NO_GRANT,
): ApprovedSubscription {
  const request = subs.get(channel);
  const position = request && { since: sinceOf(request), delta: request.delta === 'fossil' };
  return { channel, rule, serverSide: true, grant, ...position };
}
