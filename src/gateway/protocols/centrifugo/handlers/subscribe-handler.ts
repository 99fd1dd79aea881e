import { decideSubscribe, type ChannelRule, type StreamPosition } from '../../../../delivery/index.js';
import { closeCodes } from '../close-codes.js';
import type { SubscriptionToken } from '../../../auth/tokens/token-verifier.js';
import { ruleOf } from './channel-checks.js';
import { SubscribeFlag, type ChannelRequest, type SubscribeRequest } from '../codec/commands.js';
import { CommandRefusedError, DisconnectError, replyErrors } from '../centrifugo.errors.js';
import { hasExpired } from './expiry.js';
import { openSubscription } from '../subscriptions/open-subscription.js';
import type { Session } from '../session/session.js';
import type { HandlerDependencies } from './handler-dependencies.js';
import { compileTagsFilter, type TagsFilter } from '../subscriptions/tags-filter.js';

/** The subscriptions that a client asks for. */
export class SubscribeHandler {
  constructor(private readonly dependencies: HandlerDependencies) {}

  async subscribe(session: Session, id: number, request: SubscribeRequest): Promise<void> {
    const { channel } = request;
    const rule = this.#check(session, request);
    const token = await this.#authorize(session, rule, request);
    if (session.isOver) return;
    const since = sinceOf(request);
    const { subscription, result } = await openSubscription(session, this.dependencies, {
      channel,
      rule,
      requested: request,
      filter: filterOf(rule, request),
      delta: request.delta !== '',
      since,
      ...(token && { grant: token, expireAt: token.expireAt ?? 0 }),
    });
    if (session.isOver) return;
    // The server ended it meanwhile, and has told the client.
    if (subscription.isOver) throw new CommandRefusedError(replyErrors.permissionDenied);
    const isLost = since !== undefined && result.recoverable === true && !result.recovered;
    if (isLost && (request.flag & SubscribeFlag.rejectUnrecovered) !== 0) {
      subscription.end();
      throw new CommandRefusedError(replyErrors.unrecoverablePosition);
    }
    session.answer(id, 'subscribe', result);
    subscription.goLive();
    session.attendTo(subscription);
  }

  unsubscribe(session: Session, id: number, { channel }: ChannelRequest): undefined {
    if (channel === '') throw new DisconnectError(closeCodes.badRequest);
    session.subscriptions.get(channel)?.end();
    session.answer(id, 'unsubscribe', {});
  }

  #check({ subscriptions }: Session, { channel, delta, type }: SubscribeRequest): ChannelRule {
    if (delta !== '' && delta !== 'fossil') throw new DisconnectError(closeCodes.badRequest);
    if (subscriptions.get(channel) !== undefined)
      throw new CommandRefusedError(replyErrors.alreadySubscribed);
    const isKnownTooLong = this.dependencies.rules.findForClient(channel) === 'tooLong';
    if (!isKnownTooLong && channel !== '' && subscriptions.size >= this.dependencies.options.channelLimit)
      throw new CommandRefusedError(replyErrors.limitExceeded);
    const rule = ruleOf(this.dependencies.rules, channel);
    // Every namespace is one of streams.
    if (type !== 0) throw new CommandRefusedError(replyErrors.permissionDenied);
    return rule;
  }

  /** Answers the token where there is one. */
  async #authorize(
    { user, id }: Session,
    rule: ChannelRule,
    { channel, token }: SubscribeRequest,
  ): Promise<SubscriptionToken | undefined> {
    const { rules, verifiers, options } = this.dependencies;
    const attempt = { channel, user, hasToken: token !== '', insecure: options.insecure };
    switch (decideSubscribe(rules, rule, attempt)) {
      case 'allow':
        return undefined;
      case 'deny':
        throw new CommandRefusedError(replyErrors.permissionDenied);
      case 'askProxy':
        throw new CommandRefusedError(replyErrors.notAvailable);
      case 'verifyToken': {
        const outcome = await verifiers.subscription.verifySubscription(token);
        if (!outcome.ok) throw new CommandRefusedError(tokenRefusals[outcome.reason]);
        if (!isFor(outcome.value, user, id, channel)) throw new DisconnectError(closeCodes.invalidToken);
        if (hasExpired(outcome.value.expireAt)) throw new CommandRefusedError(replyErrors.expired);
        return outcome.value;
      }
    }
  }
}

const tokenRefusals = {
  expired: replyErrors.tokenExpired,
  invalid: replyErrors.permissionDenied,
  unavailable: replyErrors.internal,
};

export function isFor(token: SubscriptionToken, user: string, client: string, channel: string): boolean {
  return token.user === user && token.channel === channel && (token.client === '' || token.client === client);
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
