import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { InHand } from '../unacked-messages.js';
import type { PulsarLinks } from '../links.js';
import { placeOf } from '../message-id.js';
import type { NativeClient, NativeConsumer, NativeMessage } from './native-client.js';
import { NativeLink } from './native-link.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';
import { topicUri } from '../topic.js';
import type { PulsarConsumeOptions, PulsarConsumer, PulsarMessage } from '../transport.js';

/** The shortest that the client knows. Pauses between attempts are kept above, where they can grow. */
const REDELIVERY_DELAY_MS = 100;

/**
 * Asks the native client for one message after the other, for as long as there is room. (Its `listener` would push without
 * end: what bounds it is the handler's duration, not what was acknowledged.)
 */
export class NativeConsumerLoop implements PulsarConsumer {
  readonly #logger = new Logger('PulsarClient');
  readonly #link: NativeLink<NativeConsumer>;
  readonly #inHand: InHand<NativeMessage>;
  readonly #decided = Promise.withResolvers<void>();
  #isPaused = false;
  #wake: () => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(
    client: NativeClient,
    options: PulsarConsumeOptions,
    driver: PulsarDriverOptions,
    links: PulsarLinks,
    private readonly onMessage: (message: PulsarMessage) => void,
  ) {
    this.#inHand = new InHand(options.maxInHand);
    this.#link = new NativeLink(
      () => client.subscribe(configOf(options, driver.prefetch)),
      driver,
      links,
      () => this.#decided.resolve(),
    );
    void this.#link.opened.then((consumer) => this.#receiveAll(consumer)).catch(() => {}); // closed before it opened
  }

  get inForce(): Promise<unknown> {
    return this.#link.opened;
  }

  get decided(): Promise<unknown> {
    return this.#decided.promise;
  }

  acknowledge({ position }: PulsarMessage): void {
    this.#answer(position, (consumer, message) => consumer.acknowledge(message));
  }

  refuse({ position }: PulsarMessage): void {
    this.#answer(position, async (consumer, message) => consumer.negativeAcknowledge(message));
  }

  /** The client does not tell of lost connections. */
  owns({ position }: PulsarMessage): boolean {
    return this.#inHand.isOurs(position);
  }

  forget({ position }: PulsarMessage): void {
    this.#inHand.release(position);
    this.#wake();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wake();
  }

  close(): Promise<void> {
    this.#closing ??= this.#link.close();
    this.#decided.resolve();
    this.#wake();
    return this.#closing;
  }

  async #receiveAll(consumer: NativeConsumer): Promise<void> {
    this.#decided.resolve();
    while (!this.#link.isClosed) {
      if (this.#isPaused || this.#inHand.room === 0) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      try {
        this.#received(await consumer.receive());
      } catch (error) {
        if (this.#link.isClosed) return;
        this.#logger.warn(`receiving failed: ${String(error)}`);
        await delay(REDELIVERY_DELAY_MS);
      }
    }
  }

  #received(message: NativeMessage): void {
    const place = placeOf(message.getMessageId().serialize());
    if (this.#inHand.take(place.position, message) !== 'new') return;
    const key = message.getPartitionKey();
    this.onMessage({
      ...place,
      payload: message.getData(),
      properties: { ...message.getProperties() },
      publishedAt: message.getPublishTimestamp(),
      redeliveryCount: message.getRedeliveryCount(),
      ...(key === '' ? {} : { key }),
    });
  }

  #answer(
    position: string,
    how: (consumer: NativeConsumer, message: NativeMessage) => Promise<unknown>,
  ): void {
    const message = this.#inHand.release(position);
    if (message === undefined) return;
    this.#wake();
    // Without a connection the answer is lost, and the message comes again.
    void this.#link.opened.then((consumer) => how(consumer, message)).catch(() => {});
  }
}

function configOf(
  { topic, subscription, type, from, maxInHand, deadLetter }: PulsarConsumeOptions,
  prefetch: number,
) {
  return {
    topic: topicUri(topic),
    subscription,
    subscriptionType: type === 'Shared' ? 'Shared' : 'KeyShared',
    subscriptionInitialPosition: from === 'earliest' ? 'Earliest' : 'Latest',
    receiverQueueSize: Math.min(prefetch, maxInHand),
    nAckRedeliverTimeoutMs: REDELIVERY_DELAY_MS,
    ...(deadLetter === undefined
      ? {}
      : {
          deadLetterPolicy: {
            deadLetterTopic: topicUri(deadLetter.topic),
            maxRedeliverCount: deadLetter.maxRedeliverCount,
          },
        }),
  };
}
