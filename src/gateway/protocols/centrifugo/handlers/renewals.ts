import type { ChannelRule } from '../../../../delivery/index.js';
import { refused, type Awaitable, type DecisionOf } from '../../../auth/decisions.js';
import { applicationCloseCode } from '../centrifugo.errors.js';
import { closeCodes } from '../close-codes.js';
import type { Authorization } from '../session/authorization.js';
import type { Renewal, Session } from '../session/session.js';
import type { ClientSubscription } from '../subscriptions/client-subscription.js';
import { attemptOf } from './attempts.js';
import { hasExpired } from './expiry.js';
import type { HandlerDependencies } from './handler-dependencies.js';

/** How much longer something lives that cannot be decided about now, in seconds. */
const POSTPONED_SECONDS = 60;

type Rules = Pick<Authorization, 'renewsConnections' | 'renewsSubscriptions'>;

/** Asks the backend about connections and subscriptions that have expired, where clients do not renew them. */
export class Renewals implements Renewal {
  constructor(
    private readonly dependencies: HandlerDependencies,
    private readonly rules: Rules,
  ) {}

  get ofConnections(): boolean {
    return this.rules.renewsConnections;
  }

  ofSubscriptions(rule: ChannelRule): boolean {
    return this.rules.renewsSubscriptions(rule);
  }

  renewConnection(session: Session): void {
    session.isRenewing = true;
    this.dependencies.inBackground(this.#renewConnection(session));
  }

  renewSubscription(session: Session, subscription: ClientSubscription): void {
    subscription.isRenewing = true;
    this.dependencies.inBackground(this.#renewSubscription(session, subscription));
  }

  async #renewConnection(session: Session): Promise<void> {
    const attempt = { ...attemptOf(session), token: '' };
    const decision = await orUnavailable(() => this.dependencies.authorizer.refresh(attempt));
    session.isRenewing = false;
    if (session.isOver) return;
    if (decision.outcome === 'disconnect') session.close(applicationCloseCode(decision));
    else if (isUnavailable(decision)) session.setExpiry(postponed());
    else if (decision.outcome !== 'allowed' || hasExpired(decision.expireAt))
      session.close(closeCodes.connectionExpired);
    else {
      const { expireAt = 0, info, meta } = decision;
      if (info !== undefined) session.info = Buffer.copyBytesFrom(info);
      if (meta !== undefined && this.dependencies.keepsMeta) session.meta = Buffer.copyBytesFrom(meta);
      session.setExpiry(expireAt);
    }
  }

  async #renewSubscription(session: Session, subscription: ClientSubscription): Promise<void> {
    const { channel } = subscription;
    const attempt = { ...attemptOf(session), channel, token: '' };
    const decision = await orUnavailable(() => this.dependencies.authorizer.subRefresh(attempt));
    subscription.isRenewing = false;
    if (session.isOver || subscription.isOver) return;
    if (decision.outcome === 'disconnect') session.close(applicationCloseCode(decision));
    else if (isUnavailable(decision)) this.#extend(session, subscription, postponed());
    else if (decision.outcome !== 'allowed' || hasExpired(decision.expireAt)) subscription.expire();
    else this.#extend(session, subscription, decision.expireAt ?? 0, decision.info);
  }

  #extend(
    session: Session,
    subscription: ClientSubscription,
    expireAt: number,
    info = subscription.info,
  ): void {
    subscription.renew({ expireAt, info });
    session.scheduleUpkeep(subscription);
  }
}

/** An authorizer that fails is one that cannot decide now. */
async function orUnavailable<Decision>(
  ask: () => Awaitable<Decision>,
): Promise<Decision | ReturnType<typeof refused>> {
  try {
    return await ask();
  } catch {
    return refused('unavailable');
  }
}

function isUnavailable(decision: DecisionOf<'refresh' | 'subRefresh'>): boolean {
  return decision.outcome === 'refused' && decision.cause === 'unavailable';
}

function postponed(): number {
  return Math.floor(Date.now() / 1_000) + POSTPONED_SECONDS;
}
