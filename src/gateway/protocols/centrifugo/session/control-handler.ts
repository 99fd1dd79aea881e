import type {
  ControlCommand,
  DisconnectCommand,
  RefreshCommand,
  SubscribeCommand,
  Takeover,
  UnsubscribeCommand,
} from '../../../../delivery/index.js';
import type { CloseCode } from '../../../connection/close-codes.js';
import { closeCodes } from '../close-codes.js';
import type { ClientSubscription } from '../subscriptions/client-subscription.js';
import { applicationCloseCode, unsubscribeReasons } from '../centrifugo.errors.js';
import { expiryOf, hasExpired } from '../handlers/expiry.js';
import { openSubscription } from '../subscriptions/open-subscription.js';
import type { Session } from './session.js';
import type { HandlerDependencies } from '../handlers/handler-dependencies.js';

/** Carries out the commands of the server API on the sessions of this process. */
export class ControlHandler {
  constructor(private readonly dependencies: HandlerDependencies) {}

  execute(command: ControlCommand): void {
    const { users, singleConnection } = this.dependencies;
    const takeover = takeoverOf(command);
    if (takeover !== undefined) singleConnection.observe(takeover);
    for (const session of users.sessionsOf(command.user)) {
      const isReached = session.isConnected || (session.phase === 'connecting' && reachesConnecting(command));
      if (isReached && isTarget(session, command)) this.#executeOn(session, command);
    }
  }

  #executeOn(session: Session, command: ControlCommand): void {
    switch (command.kind) {
      case 'subscribe':
        this.dependencies.inBackground(this.#subscribe(session, command));
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
    const rule = this.dependencies.rules.find(channel);
    // The server API has checked the channel, but it may have run on a process with a different configuration.
    if (typeof rule === 'string' || hasExpired(expireAt)) return;
    const { subscriptions } = session;
    const present = subscriptions.get(channel);
    if (present !== undefined) {
      if (present.isServerSide) extend(session, present, { expireAt, info: info ?? present.info });
      return;
    }
    if (subscriptions.size >= this.dependencies.options.channelLimit) {
      session.close(closeCodes.channelLimit);
      return;
    }
    const { subscription, result } = await openSubscription(session, this.dependencies, {
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
    session.scheduleUpkeep(subscription);
  }

  #disconnect(session: Session, command: DisconnectCommand): void {
    const { whitelist = [], claim: takeover } = command;
    const { singleConnection } = this.dependencies;
    if (whitelist.includes(session.id)) return;
    // The other process has missed the later takeover: otherwise it would have closed its connection.
    if (takeover !== undefined && singleConnection.isLater(session, takeover))
      this.dependencies.inBackground(singleConnection.announce(session));
    else closeWith(session, applicationCloseCode(command.disconnect ?? closeCodes.forceDisconnect));
  }

  /** Notifies the client even if it is not subscribed: its subscription may be in progress. */
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
    session.setExpiry(Math.floor((expiresAt ?? 0) / 1000));
    session.push('refresh', '', expiryOf(session.expireAt));
  }
}

/** Changes only the expiry and the info of a subscription that exists already. */
function extend(
  session: Session,
  subscription: ClientSubscription,
  terms: Parameters<ClientSubscription['renew']>[0],
): void {
  subscription.renew(terms);
  session.scheduleUpkeep(subscription);
}

function takeoverOf(command: ControlCommand): Takeover | undefined {
  return command.kind === 'disconnect' ? command.claim : undefined;
}

/**
 * Whether the command applies to a client that is still connecting: its token may have been accepted before the command came. Such a
 * client cannot receive a subscribe push yet, and it has not announced its own takeover yet.
 */
function reachesConnecting(command: ControlCommand): boolean {
  return command.kind !== 'subscribe' && takeoverOf(command) === undefined;
}

/** A session on a WebSocket has no session id besides its connection id. */
function isTarget({ id }: Session, { client = '', session = '' }: ControlCommand): boolean {
  return (client === '' || client === id) && session === '';
}

/** Centrifugo never sends this code: it closes the connection without a close frame. */
const CONNECTION_CLOSED = 3000;

function closeWith(session: Session, close: CloseCode): void {
  if (close.code === CONNECTION_CLOSED) session.transport.terminate();
  else session.close(close);
}
