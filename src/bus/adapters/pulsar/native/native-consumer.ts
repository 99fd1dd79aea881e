import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { RepeatedWork } from '../../../progress-reports.js';
import type { ConnectionStatus } from '../connection-status.js';
import { parseMessageId } from '../message-id.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';
import { topicUri } from '../topic.js';
import type { PulsarConsumeOptions, PulsarConsumer, PulsarMessage } from '../transport.js';
import { UnackedMessages } from '../unacked-messages.js';
import type { ClientConsumer, ClientMessage, NativeClient } from './native-client.js';
import { NativeConnection } from './native-connection.js';

/** The shortest delay that the client supports. The caller makes longer pauses between attempts, which grow. */
const REDELIVERY_DELAY_MS = 100;

/**
 * Receives one message after the other from the native client, while there is capacity. (The client's `listener` is
 * not used: it is limited by the duration of the callback, not by the number of unacknowledged messages.)
 */
export class NativeConsumer implements PulsarConsumer {
  readonly #logger = new Logger('PulsarClient');
  readonly #connection: NativeConnection<ClientConsumer>;
  readonly #unacked: UnackedMessages<ClientMessage>;
  readonly #attempted = Promise.withResolvers<void>();
  readonly #topic: string;
  readonly #receipts: RepeatedWork;
  /** The one from which messages are received. */
  #consumer: ClientConsumer | undefined;
  #isPaused = false;
  #wake: () => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(
    client: NativeClient,
    options: PulsarConsumeOptions,
    driver: PulsarDriverOptions,
    status: ConnectionStatus,
    private readonly onMessage: (message: PulsarMessage) => void,
  ) {
    this.#topic = topicUri(options.topic);
    this.#receipts = new RepeatedWork(options.progress, `receiving from ${options.topic.name}`);
    this.#unacked = new UnackedMessages(options.maxUnacked);
    this.#connection = new NativeConnection(
      () => client.subscribe(configOf(options, driver.prefetch)),
      { ...driver, restartDelayMs: options.restartDelayMs },
      status,
      {
        opened: (consumer) => void this.#receiveAll(consumer),
        connected: () => options.observer?.inForce(),
        failed: (reason) => {
          options.observer?.failed(reason);
          this.#attempted.resolve();
        },
      },
    );
  }

  get subscribed(): Promise<unknown> {
    return this.#connection.opened;
  }

  get attempted(): Promise<unknown> {
    return this.#attempted.promise;
  }

  acknowledge({ position }: PulsarMessage): void {
    this.#settle(position, (consumer, message) => consumer.acknowledge(message));
  }

  negativeAcknowledge({ position }: PulsarMessage): void {
    this.#settle(position, async (consumer, message) => consumer.negativeAcknowledge(message));
  }

  /** Always true for an unacknowledged message, because the client does not report lost connections. */
  owns({ position }: PulsarMessage): boolean {
    return this.#unacked.owns(position);
  }

  forget({ position }: PulsarMessage): void {
    this.#unacked.remove(position);
    this.#wake();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wake();
  }

  reconnect(): boolean {
    if (this.#isPaused || this.#unacked.capacity === 0) return false;
    return this.#connection.reconnect();
  }

  close(): Promise<void> {
    this.#closing ??= this.#connection.close();
    this.#attempted.resolve();
    this.#wake();
    return this.#closing;
  }

  async #receiveAll(consumer: ClientConsumer): Promise<void> {
    this.#attempted.resolve();
    this.#consumer = consumer;
    const isOver = () => this.#connection.isClosed || this.#consumer !== consumer;
    while (!isOver()) {
      if (this.#isPaused || this.#unacked.capacity === 0) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      try {
        this.#received(await consumer.receive());
        this.#receipts.succeeded();
      } catch (error) {
        if (isOver()) return;
        if (consumer.isConnected()) this.#receipts.failed(error);
        this.#logger.warn(`${this.#topic}: cannot receive, retrying: ${String(error)}`);
        await delay(REDELIVERY_DELAY_MS);
      }
    }
  }

  #received(message: ClientMessage): void {
    const id = parseMessageId(message.getMessageId().serialize());
    if (this.#unacked.add(id.position, message) !== 'new') return;
    const key = message.getPartitionKey();
    this.onMessage({
      ...id,
      payload: message.getData(),
      properties: { ...message.getProperties() },
      publishedAt: message.getPublishTimestamp(),
      redeliveryCount: message.getRedeliveryCount(),
      ...(key === '' ? {} : { key }),
    });
  }

  #settle(
    position: string,
    action: (consumer: ClientConsumer, message: ClientMessage) => Promise<unknown>,
  ): void {
    const message = this.#unacked.remove(position);
    if (message === undefined) return;
    this.#wake();
    // If the connection is lost, so is the acknowledgement, and the broker delivers the message again.
    void this.#connection.opened.then((consumer) => action(consumer, message)).catch(() => {});
  }
}

function configOf(
  { topic, subscription, consumerName, type, from, maxUnacked, deadLetter }: PulsarConsumeOptions,
  prefetch: number,
) {
  return {
    topic: topicUri(topic),
    subscription,
    subscriptionType: type === 'Shared' ? 'Shared' : 'KeyShared',
    subscriptionInitialPosition: from === 'earliest' ? 'Earliest' : 'Latest',
    receiverQueueSize: Math.min(prefetch, maxUnacked),
    nAckRedeliverTimeoutMs: REDELIVERY_DELAY_MS,
    ...(consumerName === undefined ? {} : { consumerName }),
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
