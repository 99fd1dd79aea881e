import { closeCodes } from '../close-codes.js';
import type { ConnectionToken } from '../../../auth/tokens/token-verifier.js';
import type { ConnectRequest } from '../codec/commands.js';
import {
  CommandRefusedError,
  DisconnectError,
  replyErrors,
  SubscribeTimeoutError,
} from '../centrifugo.errors.js';
import { expiryOf, hasExpired } from './expiry.js';
import { settlesWithin } from '../../../../async/index.js';
import { openSubscription, type OpenedSubscription } from '../subscriptions/open-subscription.js';
import type { SubscribeResult } from '../codec/replies.js';
import { admissionsAtConnect } from './server-subscriptions.js';
import type { Session } from '../session/session.js';
import type { HandlerDependencies } from './handler-dependencies.js';

/** The first command of a session: who the client is, and what it is subscribed to from the start. */
export class ConnectHandler {
  /** @param version what the client is told of this server */
  constructor(
    private readonly dependencies: HandlerDependencies,
    private readonly version: string,
  ) {}

  async connect(session: Session, id: number, request: ConnectRequest): Promise<void> {
    const { users, options } = this.dependencies;
    session.phase = 'connecting';
    const token = await this.#authenticate(request.token);
    if (session.isOver) return;
    const { user = '', expireAt = 0, info } = token ?? {};
    session.user = user;
    session.expireAt = expireAt;
    session.info = info && Buffer.copyBytesFrom(info);
    if (this.#hasTooMany(user)) throw new DisconnectError(closeCodes.connectionLimit);
    const admissions = admissionsAtConnect(this.dependencies, session, token, request);
    const [entered, ...opened] = await Promise.all([
      settlesWithin(options.subscribeTimeoutMs, users.enter(session)),
      ...admissions.map((each) => openSubscription(session, this.dependencies, each)),
    ]);
    if (!entered) throw new SubscribeTimeoutError();
    if (session.isOver) return;
    this.#welcome(session, id, opened);
    if (options.personalChannel.enabled && options.personalChannel.singleConnection && user !== '')
      this.dependencies.inBackground(this.dependencies.singleConnection.takeOver(session));
  }

  /** @throws CommandRefusedError, DisconnectError */
  async #authenticate(text: string): Promise<ConnectionToken | undefined> {
    const { verifiers, options } = this.dependencies;
    if (text === '') {
      if (options.insecure || options.allowAnonymousConnectWithoutToken) return undefined;
      throw new DisconnectError(closeCodes.badRequest);
    }
    const outcome = await verifiers.connection.verifyConnection(text);
    if (!outcome.ok) {
      if (outcome.reason === 'invalid') throw new DisconnectError(closeCodes.invalidToken);
      throw new CommandRefusedError(
        outcome.reason === 'expired' ? replyErrors.tokenExpired : replyErrors.internal,
      );
    }
    const token = outcome.value;
    if (token.user === '' && options.disallowAnonymousConnectionTokens)
      throw new DisconnectError(closeCodes.permissionDenied);
    if (hasExpired(token.expireAt)) throw new CommandRefusedError(replyErrors.expired);
    return token;
  }

  #hasTooMany(user: string): boolean {
    const { userConnectionLimit: limit } = this.dependencies.options;
    return limit > 0 && user !== '' && this.dependencies.users.sessionsOf(user).size >= limit;
  }

  #welcome(session: Session, id: number, opened: readonly OpenedSubscription[]): void {
    const subs = new Map<string, SubscribeResult>();
    // One that the server has ended meanwhile is left out.
    const live = opened.filter(({ subscription }) => !subscription.isOver);
    for (const { subscription, result } of live) subs.set(subscription.channel, result);
    session.answer(id, 'connect', {
      client: session.id,
      version: this.version,
      subs,
      ...expiryOf(session.expireAt),
      ...(session.transport.startPings() && { ping: this.dependencies.pingSeconds, pong: true }),
      ...(this.dependencies.options.connectIncludeServerTime && { time: Date.now() }),
    });
    session.establish();
    for (const { subscription } of live) subscription.goLive();
  }
}
