import { Injectable } from '@nestjs/common';
import {
  ChannelRules,
  Delivery,
  Nodes,
  Presence,
  type ClientInfo,
  type HistoryPage,
  type NodeInfo,
  type PresenceStats,
  type StreamPosition,
} from '../../delivery/index.js';
import { ruleOf } from './channel-rule.js';
import { InvalidPositionError, NotAvailableError } from './operations.errors.js';

export interface HistoryRequest {
  readonly channel: string;
  /** Negative: all. 0: the position only. */
  readonly limit: number;
  readonly since: StreamPosition | undefined;
  /** The newest first. */
  readonly reverse: boolean;
}

const ALL = -1;

/**
 * Reads the state of channels and nodes.
 *
 * @throws InvalidChannelError, UnknownNamespaceError and NotAvailableError from the methods that name a channel,
 *   BrokerUnavailableError from every method
 */
@Injectable()
export class Queries {
  constructor(
    private readonly delivery: Delivery,
    private readonly members: Presence,
    private readonly cluster: Nodes,
    private readonly rules: ChannelRules,
  ) {}

  /** Returns the clients in a channel by connection id. */
  async presence(channel: string): Promise<ReadonlyMap<string, ClientInfo>> {
    this.#requirePresence(channel);
    return this.members.members(channel);
  }

  async presenceStats(channel: string): Promise<PresenceStats> {
    this.#requirePresence(channel);
    return this.members.stats(channel);
  }

  /** @throws InvalidPositionError, UnrecoverablePositionError if `since` names another epoch */
  async history({ channel, limit, since, reverse }: HistoryRequest): Promise<HistoryPage> {
    if (!ruleOf(this.rules, channel).keepsHistory) throw new NotAvailableError(channel, 'history');
    if (reverse && since?.offset === 0) throw new InvalidPositionError();
    return this.delivery.history(channel, {
      limit: limit < 0 ? ALL : limit,
      reverse,
      ...(since !== undefined ? { since } : {}),
    });
  }

  /**
   * Returns the channels that have subscribers, with the number of their subscribers.
   * @param pattern a glob; empty: every channel
   */
  channels(pattern: string): Promise<ReadonlyMap<string, number>> {
    return this.cluster.channels(pattern);
  }

  /** Returns the nodes of the deployment, this one first. */
  nodes(): Promise<readonly NodeInfo[]> {
    return this.cluster.list();
  }

  #requirePresence(channel: string): void {
    if (!ruleOf(this.rules, channel).options.presence) throw new NotAvailableError(channel, 'presence');
  }
}
