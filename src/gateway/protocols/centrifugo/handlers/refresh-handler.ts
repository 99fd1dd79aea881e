import { closeCodes } from '../close-codes.js';
import type { RefreshRequest, SubRefreshRequest } from '../codec/commands.js';
import { CommandRefusedError, DisconnectError, replyErrors } from '../centrifugo.errors.js';
import { expiryOf, hasExpired } from './expiry.js';
import { listsSameChannels } from './server-subscriptions.js';
import type { Session } from '../session/session.js';
import type { HandlerDependencies } from './handler-dependencies.js';
import { isFor } from './subscribe-handler.js';

/** New tokens for a connection or a subscription that would come to its end. */
export class RefreshHandler {
  constructor(private readonly dependencies: HandlerDependencies) {}

  async refresh(session: Session, id: number, request: RefreshRequest): Promise<void> {
    if (request.token === '') throw new DisconnectError(closeCodes.badRequest);
    const outcome = await this.dependencies.verifiers.connection.verifyConnection(request.token);
    if (!outcome.ok && outcome.reason === 'unavailable') throw new CommandRefusedError(replyErrors.internal);
    if (!outcome.ok) {
      const isExpired = outcome.reason === 'expired';
      throw new DisconnectError(isExpired ? closeCodes.connectionExpired : closeCodes.invalidToken);
    }
    const token = outcome.value;
    if (token.user !== session.user) throw new DisconnectError(closeCodes.invalidToken);
    if (hasExpired(token.expireAt)) throw new DisconnectError(closeCodes.connectionExpired);
    if (!listsSameChannels(session, token)) throw new DisconnectError(closeCodes.insufficientState);
    if (token.info !== undefined) session.info = Buffer.copyBytesFrom(token.info);
    // A token that never expires lifts the expiry of the one before.
    session.expiresAt(token.expireAt ?? 0);
    session.answer(id, 'refresh', expiryOf(session.expireAt));
  }

  async subRefresh(session: Session, id: number, request: SubRefreshRequest): Promise<void> {
    const { channel } = request;
    if (channel === '') throw new DisconnectError(closeCodes.badRequest);
    const subscription = session.subscriptions.get(channel);
    if (subscription === undefined) throw new CommandRefusedError(replyErrors.permissionDenied);
    // The server prolongs what it made itself.
    if (subscription.isServerSide) throw new DisconnectError(closeCodes.badRequest);
    if (request.token === '' || request.type !== 0) throw new CommandRefusedError(replyErrors.badRequest);
    const outcome = await this.dependencies.verifiers.subscription.verifySubscription(request.token);
    if (!outcome.ok) {
      if (outcome.reason === 'invalid') throw new DisconnectError(closeCodes.invalidToken);
      // An expired token does not make the subscription eternal, as it does in Centrifugo 6.9.
      const isExpired = outcome.reason === 'expired';
      throw new CommandRefusedError(isExpired ? replyErrors.tokenExpired : replyErrors.internal);
    }
    const token = outcome.value;
    if (!isFor(token, session.user, session.id, channel)) throw new DisconnectError(closeCodes.invalidToken);
    if (hasExpired(token.expireAt)) throw new CommandRefusedError(replyErrors.expired);
    subscription.renew(token);
    session.attendTo(subscription);
    session.answer(id, 'subRefresh', expiryOf(subscription.expireAt));
  }
}
