import type { ConnectAllowed } from '../../../auth/decisions.js';
import { settlesWithin } from '../../../../async/index.js';
import { closeCodes } from '../close-codes.js';
import type { ConnectRequest } from '../codec/commands.js';
import { isEncodable } from '../codec/publication-formats.js';
import type { SubscribeResult } from '../codec/replies.js';
import { DisconnectError, SubscribeTimeoutError } from '../centrifugo.errors.js';
import type { Session } from '../session/session.js';
import { openSubscription, type OpenedSubscription } from '../subscriptions/open-subscription.js';
import { expiryOf, hasExpired } from './expiry.js';
import type { HandlerDependencies } from './handler-dependencies.js';
import { allowance, errorForCause } from './refusals.js';
import { addRequestedChannels, serverSubscriptions } from './server-subscriptions.js';

/** Handles the first command of a session: it identifies the client and subscribes it to its server-side channels. */
export class ConnectHandler {
  /** @param version sent to the client as the version of this server */
  constructor(
    private readonly dependencies: HandlerDependencies,
    private readonly version: string,
  ) {}

  async connect(session: Session, id: number, request: ConnectRequest): Promise<void> {
    const { users, options } = this.dependencies;
    session.phase = 'connecting';
    const asked = this.#authorize(session, request);
    const allowed = allowance('connect', 'outcome' in asked ? asked : await asked);
    if (session.isOver) return;
    this.#identify(session, allowed);
    const subscriptions = serverSubscriptions(this.dependencies, session, allowed.channels, request);
    if (request.subs.size > 0) {
      await addRequestedChannels(this.dependencies, session, subscriptions, request);
      if (session.isOver) return;
    }
    if (subscriptions.size > options.channelLimit) throw new DisconnectError(closeCodes.channelLimit);
    const [entered, ...opened] = await Promise.all([
      settlesWithin(options.subscribeTimeoutMs, users.enter(session)),
      ...[...subscriptions.values()].map((each) => openSubscription(session, this.dependencies, each)),
    ]);
    if (!entered) throw new SubscribeTimeoutError();
    if (session.isOver) return;
    this.#welcome(session, id, opened, allowed.data);
    if (options.personalChannel.enabled && options.personalChannel.singleConnection && session.user !== '')
      this.dependencies.inBackground(this.dependencies.singleConnection.takeOver(session));
  }

  #authorize(session: Session, { token, data, name, version, subs, headers }: ConnectRequest) {
    const channels = subs.size === 0 ? NO_CHANNELS : [...subs.keys()];
    const emulatedHeaders = this.dependencies.emulatedHeaders.of(headers);
    if (emulatedHeaders !== undefined) session.context = { ...session.context, emulatedHeaders };
    const { context: client } = session;
    return this.dependencies.authorizer.connect({ client, token, data, name, version, channels });
  }

  /** @throws CommandRefusedError, DisconnectError */
  #identify(session: Session, { user = '', expireAt = 0, info, meta }: ConnectAllowed): void {
    if (hasExpired(expireAt)) throw errorForCause('connect', 'expired');
    session.user = user;
    session.expireAt = expireAt;
    // A copy: otherwise all bytes of the token would be kept with it.
    session.info = info && Buffer.copyBytesFrom(info);
    if (this.dependencies.keepsMeta) session.meta = meta && Buffer.copyBytesFrom(meta);
    if (this.#hasTooMany(user)) throw new DisconnectError(closeCodes.connectionLimit);
  }

  #hasTooMany(user: string): boolean {
    const { userConnectionLimit: limit } = this.dependencies.options;
    return limit > 0 && user !== '' && this.dependencies.users.sessionsOf(user).size >= limit;
  }

  #welcome(
    session: Session,
    id: number,
    opened: readonly OpenedSubscription[],
    data: Buffer | undefined,
  ): void {
    if (!isEncodable(session.encoding, data)) {
      session.close(closeCodes.inappropriateProtocol);
      return;
    }
    const subs = new Map<string, SubscribeResult>();
    // The server API may have ended one in the meantime.
    const live = opened.filter(({ subscription }) => !subscription.isOver);
    for (const { subscription, result } of live) subs.set(subscription.channel, result);
    session.reply(id, 'connect', {
      client: session.id,
      version: this.version,
      subs,
      data,
      // The client has to know the expiry only if it renews the connection itself.
      ...(!this.dependencies.renewal.ofConnections && expiryOf(session.expireAt)),
      ...(session.transport.startPings() && { ping: this.dependencies.pingSeconds, pong: true }),
      ...(this.dependencies.options.connectIncludeServerTime && { time: Date.now() }),
    });
    session.markConnected();
    for (const { subscription } of live) subscription.goLive();
  }
}

const NO_CHANNELS: readonly string[] = [];
