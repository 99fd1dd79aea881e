import { Inject, Injectable } from '@nestjs/common';
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
import { checkGlob } from '../../patterns/index.js';
import { TRIGGER_OPTIONS } from '../trigger.module-definition.js';
import type { TriggerOptions } from '../trigger.options.js';
import { ruleOf } from './channel-rule.js';
import { InvalidPositionError, NotAvailableError, TooManyChannelsError } from './operations.errors.js';

export interface HistoryRequest {
  readonly channel: string;
  /** Negative: all. 0: the position only. */
  readonly limit: number;
  readonly since: StreamPosition | undefined;
  /** The newest first. */
  readonly reverse: boolean;
}

const ALL = -1;
/** Approximate bytes of a channel in a response beside its name. */
const CHANNEL_BYTES = 24;

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
    @Inject(TRIGGER_OPTIONS) private readonly options: TriggerOptions,
  ) {}

  /**
   * Returns the clients in a channel by connection id.
   * @throws PresenceTooLargeError if they are larger than `api.responseMaxBytes`
   */
  async presence(channel: string): Promise<ReadonlyMap<string, ClientInfo>> {
    this.#requirePresence(channel);
    return this.members.members(channel, this.options.api.responseMaxBytes);
  }

  async presenceStats(channel: string): Promise<PresenceStats> {
    this.#requirePresence(channel);
    return this.members.stats(channel);
  }

  /**
   * Returns fewer publications than requested if they are larger than `api.responseMaxBytes`.
   * @throws InvalidPositionError, UnrecoverablePositionError if `since` names another epoch
   */
  async history({ channel, limit, since, reverse }: HistoryRequest): Promise<HistoryPage> {
    if (!ruleOf(this.rules, channel).keepsHistory) throw new NotAvailableError(channel, 'history');
    if (reverse && since?.offset === 0) throw new InvalidPositionError();
    return this.delivery.history(channel, {
      limit: limit < 0 ? ALL : limit,
      maxBytes: this.options.api.responseMaxBytes,
      reverse,
      ...(since !== undefined ? { since } : {}),
    });
  }

  /**
   * Returns the channels that have subscribers, with the number of their subscribers.
   * @param pattern a glob; empty: every channel
   * @throws PatternTooLongError, TooManyChannelsError
   */
  async channels(pattern: string): Promise<ReadonlyMap<string, number>> {
    checkGlob(pattern);
    const { responseMaxBytes } = this.options.api;
    const channels = await this.cluster.channels(pattern);
    let bytes = 0;
    for (const name of channels.keys()) {
      bytes += CHANNEL_BYTES + name.length;
      if (bytes > responseMaxBytes) throw new TooManyChannelsError(responseMaxBytes);
    }
    return channels;
  }

  /** Returns the nodes of the deployment, this one first. */
  nodes(): Promise<readonly NodeInfo[]> {
    return this.cluster.list();
  }

  #requirePresence(channel: string): void {
    if (!ruleOf(this.rules, channel).options.presence) throw new NotAvailableError(channel, 'presence');
  }
}
