import type {
  Claim,
  ControlCommand,
  DisconnectCommand,
  RefreshCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from '../../../../delivery/index.js';
import { closeCodes, type CloseCode } from '../../../connection/close-codes.js';
import type { ClientSubscription } from '../subscriptions/client-subscription.js';
import { unsubscribeReasons } from '../centrifugo.errors.js';
import { expiryOf, hasExpired } from '../handlers/expiry.js';
import { openSubscription } from '../subscriptions/open-subscription.js';
import type { Session } from './session.js';
import type { Shared } from '../handlers/handler-dependencies.js';

/** Carries out on the sessions of this process what the server's API asks for. */
export class Controls {
  constructor(private readonly shared: Shared) {}

  carryOut(command: ControlCommand): void {
    const { users, claims } = this.shared;
    const claim = claimOf(command);
    if (claim !== undefined) claims.hear(claim);
    for (const session of users.sessionsOf(command.user)) {
      const isThere = session.isConnected || (session.phase === 'connecting' && reachesNewcomers(command));
      if (isThere && isMeant(session, command)) this.#carryOutOn(session, command);
    }
  }

  #carryOutOn(session: Session, command: ControlCommand): void {
    switch (command.kind) {
      case 'subscribe':
        this.shared.inBackground(this.#subscribe(session, command));
        break;
      case 'unsubscribe':
        this.#unsubscribe(session, command);
        break;
      case 'refresh':
        this.#refresh(session, command);
        break;
      case 'disconnect':
        this.#disconnect(session, command);
    }
  }

  async #subscribe(session: Session, command: SubscribeCommand): Promise<void> {
    const { channel, info, data, override = {}, expiresAt = 0, recoverSince: since } = command;
    const expireAt = Math.floor(expiresAt / 1000);
    const rule = this.shared.rules.find(channel);
    // The API has checked the name; another version of it may have other rules.
    if (typeof rule === 'string' || hasExpired(expireAt)) return;
    const { subscriptions } = session;
    const present = subscriptions.get(channel);
    if (present !== undefined) {
      if (present.isServerSide) prolong(session, present, { expireAt, info: info ?? present.info });
      return;
    }
    if (subscriptions.size >= this.shared.options.channelLimit) {
      session.close(closeCodes.channelLimit);
      return;
    }
    const { subscription, result } = await openSubscription(session, this.shared, {
      channel,
      rule,
      serverSide: true,
      grant: { info, data, override },
      expireAt,
      since,
    });
    if (subscription.isOver) return;
    session.push('subscribe', channel, result);
    for (const publication of result.publications ?? []) session.push('pub', channel, publication);
    subscription.goLive();
    session.attendTo(subscription);
  }

  #disconnect(session: Session, command: DisconnectCommand): void {
    const { whitelist = [], claim } = command;
    const { claims } = this.shared;
    if (whitelist.includes(session.id)) return;
    // The process that made the claim would have closed its connection if it knew.
    if (claim !== undefined && claims.outdoes(session, claim))
      this.shared.inBackground(claims.repeat(session));
    else session.close(closeCodeOf(command));
  }

  /** The client is told even where it was not subscribed: it may be about to be. */
  #unsubscribe(session: Session, { channel }: UnsubscribeCommand): void {
    session.subscriptions.get(channel)?.end();
    session.push('unsubscribe', channel, unsubscribeReasons.server);
  }

  #refresh(session: Session, { expired, expiresAt, info }: RefreshCommand): void {
    if (expired || (expiresAt !== undefined && expiresAt <= Date.now())) {
      session.close(closeCodes.connectionExpired);
      return;
    }
    if (info !== undefined) session.info = info;
    session.expiresAt(Math.floor((expiresAt ?? 0) / 1000));
    session.push('refresh', '', expiryOf(session.expireAt));
  }
}

/** The subscription stands already: it only ends at another time. */
function prolong(
  session: Session,
  subscription: ClientSubscription,
  terms: Parameters<ClientSubscription['renew']>[0],
): void {
  subscription.renew(terms);
  session.attendTo(subscription);
}

function claimOf(command: ControlCommand): Claim | undefined {
  return command.kind === 'disconnect' ? command.claim : undefined;
}

/**
 * A client whose token was accepted before the command came must not slip through. It could not yet be told of a subscription,
 * and has no claim yet.
 */
function reachesNewcomers(command: ControlCommand): boolean {
  return command.kind !== 'subscribe' && claimOf(command) === undefined;
}

/** A code that WebSocket does not know could not be sent. */
function closeCodeOf({ disconnect }: DisconnectCommand): CloseCode {
  const { forceDisconnect } = closeCodes;
  const { code, reason } = disconnect ?? forceDisconnect;
  const canBeSent = code >= 3000 && code <= 4999 && Buffer.byteLength(reason) <= 123;
  return canBeSent ? { code, reason, reconnect: code % 1000 < 500 } : forceDisconnect;
}

/** A session that a WebSocket carries has no session id of its own. */
function isMeant({ id }: Session, { client = '', session = '' }: ControlCommand): boolean {
  return (client === '' || client === id) && session === '';
}
