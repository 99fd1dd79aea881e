import { BusClosedError } from '../../../bus.errors.js';
import { InHand } from '../unacked-messages.js';
import type { PulsarLinks } from '../links.js';
import { placeOf } from '../message-id.js';
import { PulsarSocket, type PulsarSocketOptions } from './socket.js';
import { topicUri } from '../topic.js';
import type { PulsarConsumeOptions, PulsarConsumer, PulsarMessage } from '../transport.js';

/** A message as the WebSocket API delivers it. */
interface Delivery {
  readonly messageId: string;
  readonly payload: string;
  readonly properties: Record<string, string>;
  readonly publishTime: string;
  readonly redeliveryCount: number;
  readonly key?: string;
}

/** The shortest that the proxy knows. Pauses between attempts are kept here, where they can grow. */
const REDELIVERY_DELAY_MS = 100;

export class WebSocketConsumer implements PulsarConsumer {
  readonly #inForce = Promise.withResolvers<void>();
  readonly #decided = Promise.withResolvers<void>();
  readonly #inHand: InHand<string>;
  readonly #socket: PulsarSocket;
  /** Messages that the connection may still deliver unasked. */
  #permits = 0;
  #isReplenishing = false;
  #isPaused = false;
  #closing: Promise<void> | undefined;

  constructor(
    options: PulsarConsumeOptions,
    driver: PulsarSocketOptions,
    links: PulsarLinks,
    private readonly onMessage: (message: PulsarMessage) => void,
    onLost: () => void = () => {},
  ) {
    this.#inHand = new InHand(options.maxInHand);
    this.#inForce.promise.catch(() => {}); // not everybody waits for it
    this.#socket = new PulsarSocket(pathOf(options, driver.prefetch), driver, links, {
      opened: () => {
        for (const messageId of this.#inHand.unheard) this.#answer('acknowledge', messageId);
        this.#inForce.resolve();
        this.#decided.resolve();
        this.#permits = 0;
        this.#replenish();
      },
      received: (frame) => this.#received(frame as Delivery),
      lost: () => {
        this.#inHand.lost();
        onLost();
      },
      failed: () => this.#decided.resolve(),
    });
  }

  get inForce(): Promise<void> {
    return this.#inForce.promise;
  }

  get decided(): Promise<void> {
    return this.#decided.promise;
  }

  acknowledge({ position }: PulsarMessage): void {
    const messageId = this.#inHand.release(position);
    if (messageId === undefined) return;
    if (!this.#answer('acknowledge', messageId)) this.#inHand.acknowledgedUnheard(position, messageId);
    this.#replenish();
  }

  refuse({ position }: PulsarMessage): void {
    const messageId = this.#inHand.release(position);
    if (messageId === undefined) return;
    // Without a connection it comes again anyhow.
    this.#answer('negativeAcknowledge', messageId);
    this.#replenish();
  }

  owns({ position }: PulsarMessage): boolean {
    return this.#inHand.isOurs(position);
  }

  forget({ position }: PulsarMessage): void {
    this.#inHand.release(position);
    this.#replenish();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#replenish();
  }

  close(): Promise<void> {
    this.#inForce.reject(new BusClosedError());
    this.#decided.resolve();
    this.#closing ??= this.#socket.close();
    return this.#closing;
  }

  #received(delivery: Delivery): void {
    if (this.#closing) return;
    this.#permits--;
    const place = placeOf(Buffer.from(delivery.messageId, 'base64'));
    switch (this.#inHand.take(place.position, delivery.messageId)) {
      case 'acknowledged':
        this.#answer('acknowledge', delivery.messageId);
        break;
      case 'new':
        this.onMessage({
          ...place,
          payload: Buffer.from(delivery.payload, 'base64'),
          properties: delivery.properties,
          publishedAt: Date.parse(delivery.publishTime),
          redeliveryCount: delivery.redeliveryCount,
          ...(delivery.key === undefined ? {} : { key: delivery.key }),
        });
        break;
      case 'held':
        break;
    }
    this.#replenish();
  }

  /** Permits what there is room for: one frame for all that happened in this turn of the event loop. */
  #replenish(): void {
    if (this.#isReplenishing) return;
    this.#isReplenishing = true;
    setImmediate(() => {
      this.#isReplenishing = false;
      const permitMessages = this.#inHand.room - this.#permits;
      if (this.#isPaused || permitMessages <= 0) return;
      if (this.#socket.send(JSON.stringify({ type: 'permit', permitMessages })))
        this.#permits += permitMessages;
    });
  }

  #answer(type: 'acknowledge' | 'negativeAcknowledge', messageId: string): boolean {
    return this.#socket.send(JSON.stringify({ type, messageId }));
  }
}

function pathOf(
  { topic, subscription, type, from, maxInHand, deadLetter }: PulsarConsumeOptions,
  prefetch: number,
): string {
  const name = [topic.tenant, topic.namespace, topic.localName, subscription]
    .map(encodeURIComponent)
    .join('/');
  const query = new URLSearchParams({
    subscriptionType: type,
    subscriptionInitialPosition: from === 'earliest' ? 'Earliest' : 'Latest',
    pullMode: 'true',
    receiverQueueSize: String(Math.min(prefetch, maxInHand)),
    negativeAckRedeliveryDelay: String(REDELIVERY_DELAY_MS),
  });
  if (deadLetter) {
    query.set('maxRedeliverCount', String(deadLetter.maxRedeliverCount));
    query.set('deadLetterTopic', topicUri(deadLetter.topic));
  }
  return `consumer/persistent/${name}?${query.toString()}`;
}
