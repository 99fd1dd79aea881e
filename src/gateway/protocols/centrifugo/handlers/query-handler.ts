import {
  mayReadHistory,
  mayReadPresence,
  PresenceTooLargeError,
  UnrecoverablePositionError,
  type ClientInfo,
  type Requester,
  type HistoryPage,
} from '../../../../delivery/index.js';
import { ruleOf } from './channel-checks.js';
import type { ChannelRequest, HistoryRequest } from '../codec/commands.js';
import { CommandRefusedError, replyErrors } from '../centrifugo.errors.js';
import { encodableOf, infoOnWire, onWireWithEpoch } from '../codec/publication-formats.js';
import type { Session } from '../session/session.js';
import type { HandlerDependencies } from './handler-dependencies.js';

/** Handles requests for the presence and the history of a channel. */
export class QueryHandler {
  constructor(private readonly dependencies: HandlerDependencies) {}

  async presence(session: Session, id: number, { channel }: ChannelRequest): Promise<void> {
    this.#checkPresence(session, channel);
    const members = await this.#members(channel);
    const presence = new Map(
      [...members].map(([client, info]) => [client, infoOnWire(info, session.encoding)]),
    );
    session.reply(id, 'presence', { presence });
  }

  async presenceStats(session: Session, id: number, { channel }: ChannelRequest): Promise<void> {
    this.#checkPresence(session, channel);
    const { clients, users } = await this.dependencies.presence.stats(channel);
    session.reply(id, 'presenceStats', { numClients: clients, numUsers: users });
  }

  async history(session: Session, id: number, request: HistoryRequest): Promise<void> {
    const { channel, since, reverse } = request;
    const rule = ruleOf(this.dependencies.rules, channel);
    if (!rule.keepsHistory) throw new CommandRefusedError(replyErrors.notAvailable);
    if (this.#isPersonalOfOther(session, channel) || !mayReadHistory(rule, this.#requester(session, channel)))
      throw new CommandRefusedError(replyErrors.permissionDenied);
    if (reverse && since?.offset === 0) throw new CommandRefusedError(replyErrors.badRequest);
    const max = this.dependencies.options.historyMaxPublicationLimit;
    const limit = request.limit < 0 ? max : Math.min(request.limit, max);
    const page = await this.#read(channel, { limit, reverse, ...(since && { since }) });
    const { epoch, offset } = page;
    const encodable = encodableOf(session.encoding, page.publications);
    if (encodable.length < page.publications.length)
      session.leftOut(channel, page.publications.length - encodable.length);
    const publications = encodable.map((each) => onWireWithEpoch(each, epoch, session.encoding));
    session.reply(id, 'history', { publications, epoch, offset });
  }

  async #read(...query: Parameters<HandlerDependencies['delivery']['history']>): Promise<HistoryPage> {
    try {
      return await this.dependencies.delivery.history(...query);
    } catch (error) {
      if (error instanceof UnrecoverablePositionError)
        throw new CommandRefusedError(replyErrors.unrecoverablePosition);
      throw error;
    }
  }

  async #members(channel: string): Promise<ReadonlyMap<string, ClientInfo>> {
    const { presence, delivery } = this.dependencies;
    try {
      return await presence.members(channel, delivery.responseMaxBytes);
    } catch (error) {
      if (error instanceof PresenceTooLargeError) throw new CommandRefusedError(replyErrors.limitExceeded);
      throw error;
    }
  }

  #checkPresence(session: Session, channel: string): void {
    const rule = ruleOf(this.dependencies.rules, channel);
    if (!rule.options.presence) throw new CommandRefusedError(replyErrors.notAvailable);
    if (
      this.#isPersonalOfOther(session, channel) ||
      !mayReadPresence(rule, this.#requester(session, channel))
    )
      throw new CommandRefusedError(replyErrors.permissionDenied);
  }

  #isPersonalOfOther({ user }: Session, channel: string): boolean {
    const { rules, options } = this.dependencies;
    return rules.isPersonalOfOther(channel, user, options.personalChannel);
  }

  #requester({ user, subscriptions }: Session, channel: string): Requester {
    const subscribed = subscriptions.get(channel)?.isLive ?? false;
    return { user, subscribed, insecure: this.dependencies.options.insecure };
  }
}
