import { Injectable } from '@nestjs/common';
import { isExpired, newMessageId } from '../message/index.js';
import {
  ChannelHistory,
  type ChannelHistoryQuery,
  type PublishableMessage,
} from './history/channel-history.js';
import { DeliveryMetrics } from './delivery.metrics.js';
import { Fanout } from './fanout.port.js';
import type { HistoryPage } from './history/history.port.js';
import type { ClientInfo } from './presence/client-info.js';
import type { PublishOptions } from './publications/publish-options.js';
import { Publication, type Lane, type StreamPosition } from './publications/publication.js';
import type { Subscriber } from './subscribers/subscriber.js';
import { Subscribers } from './subscribers/subscribers.js';

const NO_DATA = Buffer.alloc(0);

/** Publishes messages to the subscribers of their channels. Connections attach to channels here to receive them. */
@Injectable()
export class Delivery {
  constructor(
    private readonly fanout: Fanout,
    private readonly channelHistory: ChannelHistory,
    private readonly subscribers: Subscribers,
    private readonly metrics: DeliveryMetrics,
  ) {}

  /**
   * Sends a message to every subscriber of its channel on every process, and stores it if the channel has a history.
   *
   * Resolves when the store has accepted it, or when it is dropped: because it has expired, because it is a duplicate,
   * or because its version is not above the latest one. With the local fan-out the subscribers have received it before
   * this method returns. Resolves to its position in the history, or to that of the message for which it was dropped.
   * `undefined` without a history.
   * @throws BrokerUnavailableError if the store has not accepted it; publishing it again with the same id is safe
   * @throws FanoutClosedError during shutdown
   */
  publish(
    given: PublishableMessage,
    lane: Lane,
    options?: PublishOptions,
  ): Promise<StreamPosition | undefined> {
    if (isExpired(given, Date.now())) {
      this.metrics.expired[lane].inc();
      return Promise.resolve(undefined);
    }
    const message = given.id === undefined && this.fanout.repeats ? { ...given, id: newMessageId() } : given;
    // An id that was created here cannot arrive again, so the conditions are those of the given message.
    const conditions = this.channelHistory.conditionsFor(given, options);
    const delta =
      conditions?.history !== undefined &&
      (options?.delta ?? this.channelHistory.publishesDelta(message.channel));
    const { channel, data, format, id, createdAt, dueAt, expiresAt, tags } = message;
    const fields = {
      channel,
      data,
      format,
      id,
      createdAt,
      dueAt,
      lane,
      expiresAt,
      tags,
      info: options?.info,
      delta,
    };
    const publication = new Publication(fields);
    const sent: Promise<StreamPosition | void> =
      conditions === undefined
        ? this.fanout.publish(publication)
        : this.channelHistory.history.publish(publication, conditions);
    return sent.then(positionOf, (error: unknown) => {
      this.metrics.publishErrors[lane].inc();
      throw error;
    });
  }

  /**
   * Attaches a subscriber to a channel. From this call on it receives the publications of the channel that reach this
   * process. The promise resolves when everything that any process publishes from then on reaches it. A {@link history}
   * that is read after that contains everything that was published before.
   *
   * While the store is unavailable the promise waits. Bound the wait if a client waits for the reply, or do not wait at
   * all: the subscriber stays attached until {@link detach} either way.
   * @throws FanoutClosedError during shutdown
   */
  attach(channel: string, subscriber: Subscriber): Promise<void> {
    const isNew = this.subscribers.attach(channel, subscriber);
    const active = this.fanout.subscribe(channel);
    // The fan-out counts subscriptions. A pair that exists already counts once.
    if (!isNew) this.fanout.unsubscribe(channel);
    return active;
  }

  /** Takes effect at once. Does nothing if the subscriber is not attached. */
  detach(channel: string, subscriber: Subscriber): void {
    if (this.subscribers.detach(channel, subscriber)) this.fanout.unsubscribe(channel);
  }

  /** Largest size of what one reply to a client may list, in bytes. */
  get responseMaxBytes(): number {
    return this.channelHistory.responseMaxBytes;
  }

  /**
   * Reads the history of a channel and its latest position. If the publications are larger than `maxBytes`, it returns the first of
   * them. Starts the history of a channel that was never used.
   * @throws UnrecoverablePositionError if `since` has another epoch
   * @throws BrokerUnavailableError
   */
  history(channel: string, query: ChannelHistoryQuery): Promise<HistoryPage> {
    return this.channelHistory.read(channel, query);
  }

  /** Removes the publications from the history of a channel. Offset and epoch stay. */
  removeHistory(channel: string): Promise<void> {
    return this.channelHistory.history.remove(channel);
  }

  /**
   * Notifies the subscribers of a channel that a client has joined. Processes that are disconnected at the moment miss
   * it.
   */
  publishJoin(channel: string, info: ClientInfo): Promise<void> {
    return this.fanout.publish(membershipChange('join', channel, info));
  }

  /** Notifies the subscribers of a channel that a client has left, as {@link publishJoin}. */
  publishLeave(channel: string, info: ClientInfo): Promise<void> {
    return this.fanout.publish(membershipChange('leave', channel, info));
  }
}

function positionOf(position: StreamPosition | void): StreamPosition | undefined {
  return position ?? undefined;
}

function membershipChange(kind: 'join' | 'leave', channel: string, info: ClientInfo): Publication {
  return new Publication({
    channel,
    data: NO_DATA,
    format: 'json',
    createdAt: Date.now(),
    lane: 'direct',
    kind,
    info,
  });
}
