import { Injectable } from '@nestjs/common';
import { isExpired, type Message } from '../bus/index.js';
import { DeliveryMetrics } from './delivery.metrics.js';
import { Fanout } from './fanout.port.js';
import { Publication, type Lane } from './publication.js';
import type { Subscriber } from './subscriber.js';
import { Subscribers } from './subscribers.js';

/** The way out: whoever has a message publishes it here, whoever holds a socket attaches here. */
@Injectable()
export class Delivery {
  constructor(
    private readonly fanout: Fanout,
    private readonly subscribers: Subscribers,
    private readonly metrics: DeliveryMetrics,
  ) {}

  /** Channels that have a subscriber on this process. */
  get channelCount(): number {
    return this.subscribers.channelCount;
  }

  /** Pairs of a channel and a subscriber on this process. */
  get attachmentCount(): number {
    return this.subscribers.attachmentCount;
  }

  /**
   * Sends a message to every subscriber of its channel on every process. Resolves when the fan-out has taken it (with
   * the local fan-out the subscribers have it even before this returns) or when it has expired and is dropped.
   * @throws BrokerUnavailableError when the fan-out has not taken it; publishing it again with its id is safe
   * @throws FanoutClosedError during shutdown
   */
  publish(message: Message, lane: Lane): Promise<void> {
    if (isExpired(message, Date.now())) {
      this.metrics.expired[lane].inc();
      return Promise.resolve();
    }
    return this.fanout.publish(toPublication(message, lane)).catch((error: unknown) => {
      this.metrics.publishErrors[lane].inc();
      throw error;
    });
  }

  /**
   * Registers interest in a channel. What reaches this process for the channel is handed to the subscriber from this call on;
   * the promise resolves when what any process publishes from then on does reach it.
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
}

function toPublication(message: Message, lane: Lane): Publication {
  const { channel, data, format, id, createdAt, dueAt, expiresAt } = message;
  return new Publication(channel, data, format, id, createdAt, dueAt, lane, expiresAt);
}
