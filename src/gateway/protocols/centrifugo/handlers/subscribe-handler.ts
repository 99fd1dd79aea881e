import type { ChannelRule, StreamPosition } from '../../../../delivery/index.js';
import { closeCodes } from '../close-codes.js';
import { ruleOf } from './channel-checks.js';
import { SubscribeFlag, type ChannelRequest, type SubscribeRequest } from '../codec/commands.js';
import { CommandRefusedError, DisconnectError, replyErrors } from '../centrifugo.errors.js';
import { attemptOf } from './attempts.js';
import { hasExpired } from './expiry.js';
import { allowance, errorForCause } from './refusals.js';
import { openSubscription } from '../subscriptions/open-subscription.js';
import type { Session } from '../session/session.js';
import type { HandlerDependencies } from './handler-dependencies.js';
import { compileTagsFilter, type TagsFilter } from '../subscriptions/tags-filter.js';

/** Handles the subscriptions that clients ask for. */
export class SubscribeHandler {
  constructor(private readonly dependencies: HandlerDependencies) {}

  async subscribe(session: Session, id: number, request: SubscribeRequest): Promise<void> {
    const { channel, token, data } = request;
    const rule = this.#check(session, request);
    const attempt = { ...attemptOf(session), channel, rule, token, data, atConnect: false };
    const asked = this.dependencies.authorizer.subscribe(attempt);
    const allowed = allowance('subscribe', 'outcome' in asked ? asked : await asked);
    if (session.isOver) return;
    if (hasExpired(allowed.expireAt)) throw errorForCause('subscribe', 'expired');
    const since = sinceOf(request);
    const { subscription, result } = await openSubscription(session, this.dependencies, {
      channel,
      rule,
      requested: request,
      filter: filterOf(rule, request),
      delta: request.delta !== '',
      since,
      grant: allowed,
      expireAt: allowed.expireAt ?? 0,
    });
    if (session.isOver) return;
    // The server API ended it in the meantime, and the client was notified.
    if (subscription.isOver) throw new CommandRefusedError(replyErrors.permissionDenied);
    const isLost = since !== undefined && result.recoverable === true && !result.recovered;
    if (isLost && (request.flag & SubscribeFlag.rejectUnrecovered) !== 0) {
      subscription.end();
      throw new CommandRefusedError(replyErrors.unrecoverablePosition);
    }
    session.reply(id, 'subscribe', result);
    subscription.goLive();
    session.scheduleUpkeep(subscription);
  }

  unsubscribe(session: Session, id: number, { channel }: ChannelRequest): undefined {
    if (channel === '') throw new DisconnectError(closeCodes.badRequest);
    session.subscriptions.get(channel)?.end();
    session.reply(id, 'unsubscribe', {});
  }

  #check({ subscriptions }: Session, { channel, delta, type }: SubscribeRequest): ChannelRule {
    if (delta !== '' && delta !== 'fossil') throw new DisconnectError(closeCodes.badRequest);
    if (subscriptions.get(channel) !== undefined)
      throw new CommandRefusedError(replyErrors.alreadySubscribed);
    const isKnownTooLong = this.dependencies.rules.findForClient(channel) === 'tooLong';
    if (!isKnownTooLong && channel !== '' && subscriptions.size >= this.dependencies.options.channelLimit)
      throw new CommandRefusedError(replyErrors.limitExceeded);
    const rule = ruleOf(this.dependencies.rules, channel);
    // Type 0 is a stream; no namespace has another type.
    if (type !== 0) throw new CommandRefusedError(replyErrors.permissionDenied);
    return rule;
  }
}

export function sinceOf({ recover, offset, epoch }: SubscribeRequest): StreamPosition | undefined {
  return recover ? { offset, epoch } : undefined;
}

function filterOf({ options }: ChannelRule, { tf }: SubscribeRequest): TagsFilter | undefined {
  if (tf === undefined) return undefined;
  const filter = options.allowTagsFilter ? compileTagsFilter(tf) : undefined;
  if (filter === undefined) throw new CommandRefusedError(replyErrors.badRequest);
  return filter;
}
