import { closeCodes } from '../close-codes.js';
import type { RefreshRequest, SubRefreshRequest } from '../codec/commands.js';
import { CommandRefusedError, DisconnectError, replyErrors } from '../centrifugo.errors.js';
import type { Session } from '../session/session.js';
import { attemptOf } from './attempts.js';
import { expiryOf, hasExpired } from './expiry.js';
import type { HandlerDependencies } from './handler-dependencies.js';
import { allowance, errorForCause } from './refusals.js';
import { areGrantedAtConnect } from './server-subscriptions.js';

/** Handles new tokens for a connection or a subscription before it expires. */
export class RefreshHandler {
  constructor(private readonly dependencies: HandlerDependencies) {}

  async refresh(session: Session, id: number, { token }: RefreshRequest): Promise<void> {
    if (token === '' || this.dependencies.renewal.ofConnections)
      throw new DisconnectError(closeCodes.badRequest);
    const asked = this.dependencies.authorizer.refresh({ ...attemptOf(session), token });
    const { expireAt, info, channels } = allowance('refresh', 'outcome' in asked ? asked : await asked);
    if (session.isOver) return;
    if (hasExpired(expireAt)) throw errorForCause('refresh', 'expired');
    if (channels !== undefined && !areGrantedAtConnect(session, channels))
      throw new DisconnectError(closeCodes.insufficientState);
    if (info !== undefined) session.info = Buffer.copyBytesFrom(info);
    // A token without an expiry lifts the expiry of the one before.
    session.setExpiry(expireAt ?? 0);
    session.reply(id, 'refresh', expiryOf(session.expireAt));
  }

  async subRefresh(session: Session, id: number, request: SubRefreshRequest): Promise<void> {
    const { channel, token } = request;
    if (channel === '') throw new DisconnectError(closeCodes.badRequest);
    const subscription = session.subscriptions.get(channel);
    if (subscription === undefined) throw new CommandRefusedError(replyErrors.permissionDenied);
    // The server itself extends the subscriptions that it made, and those that a backend renews.
    if (subscription.isServerSide || subscription.isRenewedByServer)
      throw new DisconnectError(closeCodes.badRequest);
    if (token === '' || request.type !== 0) throw new CommandRefusedError(replyErrors.badRequest);
    const asked = this.dependencies.authorizer.subRefresh({ ...attemptOf(session), channel, token });
    // An expired token does not lift the expiry of the subscription, as it does in Centrifugo 6.9.
    const allowed = allowance('subRefresh', 'outcome' in asked ? asked : await asked);
    if (session.isOver) return;
    if (hasExpired(allowed.expireAt)) throw errorForCause('subRefresh', 'expired');
    subscription.renew(allowed);
    session.scheduleUpkeep(subscription);
    session.reply(id, 'subRefresh', expiryOf(subscription.expireAt));
  }
}
