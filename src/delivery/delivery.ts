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

/** The way out: whoever has a message publishes it here, whoever holds a socket attaches here. */
@Injectable()
export class Delivery {
  constructor(
    private readonly fanout: Fanout,
    private readonly channelHistory: ChannelHistory,
    private readonly subscribers: Subscribers,
    private readonly metrics: DeliveryMetrics,
  ) {}

  /**
   * Sends a message to every subscriber of its channel on every process, and keeps it where the channel has a history.
   * Resolves when the store has taken it (with the local fan-out the subscribers have it even before this returns) or when
   * it is dropped: because it has expired, because it came before, or because its version is not a new one. Answers its
   * place in the history, or that of the message before which it yields; `undefined` without a history.
   * @throws BrokerUnavailableError when the store has not taken it; publishing it again with its id is safe
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
    // An id from here is nobody else's: only what was given one can come again.
    const terms = this.channelHistory.termsFor(given, options);
    const delta =
      terms?.history !== undefined && (options?.delta ?? this.channelHistory.publishesDelta(message.channel));
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
      terms === undefined
        ? this.fanout.publish(publication)
        : this.channelHistory.history.publish(publication, terms);
    return sent.then(positionOf, (error: unknown) => {
      this.metrics.publishErrors[lane].inc();
      throw error;
    });
  }

  /**
   * Registers interest in a channel. What reaches this process for the channel is handed to the subscriber from this call on;
   * the promise resolves when what any process publishes from then on does reach it. A {@link history} that is asked for
   * after that has everything that does not come this way.
   *
   * While the store is away the promise waits for its return. Bound the wait where a client waits for the answer, or
   * do not wait at all: the attachment stands either way until {@link detach}.
   * @throws FanoutClosedError during shutdown
   */
  attach(channel: string, subscriber: Subscriber): Promise<void> {
    const isNew = this.subscribers.attach(channel, subscriber);
    const inForce = this.fanout.subscribe(channel);
    // The fan-out counts; a pair that was there already is counted once.
    if (!isNew) this.fanout.unsubscribe(channel);
    return inForce;
  }

  /** Takes effect at once. Detaching what is not attached does nothing. */
  detach(channel: string, subscriber: Subscriber): void {
    if (this.subscribers.detach(channel, subscriber)) this.fanout.unsubscribe(channel);
  }

  /**
   * Reads what is kept of a channel, and where it stands. For a channel that was never used this begins its history.
   * @throws UnrecoverablePositionError when `since` names another epoch
   * @throws BrokerUnavailableError
   */
  history(channel: string, query: ChannelHistoryQuery): Promise<HistoryPage> {
    return this.channelHistory.read(channel, query);
  }

  /** Drops what is kept of a channel. Offset and epoch stay. */
  removeHistory(channel: string): Promise<void> {
    return this.channelHistory.history.remove(channel);
  }

  /** Tells the subscribers of a channel that a client has come. Who is cut off at the moment does not hear of it. */
  publishJoin(channel: string, info: ClientInfo): Promise<void> {
    return this.fanout.publish(movement('join', channel, info));
  }

  publishLeave(channel: string, info: ClientInfo): Promise<void> {
    return this.fanout.publish(movement('leave', channel, info));
  }
}

function positionOf(position: StreamPosition | void): StreamPosition | undefined {
  return position ?? undefined;
}

function movement(kind: 'join' | 'leave', channel: string, info: ClientInfo): Publication {
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
