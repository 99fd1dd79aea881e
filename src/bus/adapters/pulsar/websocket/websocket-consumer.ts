import { endOfTurn } from '../../../../async/index.js';
import { BusClosedError } from '../../../bus.errors.js';
import { MembershipProgress } from '../../../progress-reports.js';
import type { ConnectionStatus } from '../connection-status.js';
import { parseMessageId } from '../message-id.js';
import { topicUri } from '../topic.js';
import type { PulsarConsumeOptions, PulsarConsumer, PulsarMessage } from '../transport.js';
import { UnackedMessages } from '../unacked-messages.js';
import { messageOf, type MessageFrame } from './message-frame.js';
import { ReconnectingSocket, type SocketOptions } from './reconnecting-socket.js';

/** The shortest delay that the proxy supports. The caller makes longer pauses between attempts, which grow. */
const REDELIVERY_DELAY_MS = 100;

export class WebSocketConsumer implements PulsarConsumer {
  readonly #subscribed = Promise.withResolvers<void>();
  readonly #attempted = Promise.withResolvers<void>();
  readonly #unacked: UnackedMessages<string>;
  readonly #socket: ReconnectingSocket;
  readonly #membership: MembershipProgress;
  /** Number of messages that the proxy may still deliver without a further permit. */
  #permits = 0;
  #isReplenishing = false;
  #isPaused = false;
  #closing: Promise<void> | undefined;

  constructor(
    options: PulsarConsumeOptions,
    driver: SocketOptions,
    status: ConnectionStatus,
    private readonly onMessage: (message: PulsarMessage) => void,
    onLost: () => void = () => {},
  ) {
    this.#unacked = new UnackedMessages(options.maxUnacked);
    this.#membership = new MembershipProgress(
      options.progress,
      `membership in the subscription ${options.subscription} to ${options.topic.name}`,
    );
    this.#subscribed.promise.catch(() => {}); // there may be no one who waits for it
    const { observer, restartDelayMs } = options;
    const socketOptions = { ...driver, restartDelayMs };
    this.#socket = new ReconnectingSocket(pathOf(options, driver.prefetch), socketOptions, status, {
      opened: () => {
        for (const messageId of this.#unacked.unsentAcks) this.#send('acknowledge', messageId);
        this.#subscribed.resolve();
        this.#attempted.resolve();
        this.#permits = 0;
        this.#replenish();
        this.#membership.began();
        observer?.inForce();
      },
      received: (frame) => this.#received(frame as MessageFrame),
      lost: (reason) => {
        this.#unacked.connectionLost();
        onLost();
        this.#membership.ended(reason);
        observer?.failed(reason);
      },
      failed: (reason) => {
        observer?.failed(reason);
        this.#attempted.resolve();
        this.#membership.disconnected();
      },
    });
  }

  get subscribed(): Promise<void> {
    return this.#subscribed.promise;
  }

  get attempted(): Promise<void> {
    return this.#attempted.promise;
  }

  acknowledge({ position }: PulsarMessage): void {
    const messageId = this.#unacked.remove(position);
    if (messageId === undefined) return;
    if (!this.#send('acknowledge', messageId)) this.#unacked.addUnsentAck(position, messageId);
    this.#replenish();
  }

  negativeAcknowledge({ position }: PulsarMessage): void {
    const messageId = this.#unacked.remove(position);
    if (messageId === undefined) return;
    // Without a connection there is no need to send it: the broker delivers the message again.
    this.#send('negativeAcknowledge', messageId);
    this.#replenish();
  }

  owns({ position }: PulsarMessage): boolean {
    return this.#unacked.owns(position);
  }

  forget({ position }: PulsarMessage): void {
    this.#unacked.remove(position);
    this.#replenish();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#replenish();
  }

  reconnect(reason: string): boolean {
    if (this.#isPaused || this.#unacked.capacity === 0) return false;
    return this.#socket.reconnect(reason);
  }

  close(): Promise<void> {
    this.#subscribed.reject(new BusClosedError());
    this.#attempted.resolve();
    this.#membership.close();
    this.#closing ??= this.#socket.close();
    return this.#closing;
  }

  #received(frame: MessageFrame): void {
    if (this.#closing) return;
    this.#permits--;
    const id = parseMessageId(Buffer.from(frame.messageId, 'base64'));
    switch (this.#unacked.add(id.position, frame.messageId)) {
      case 'acknowledged':
        this.#send('acknowledge', frame.messageId);
        break;
      case 'new':
        this.onMessage(messageOf(frame, id));
        break;
      case 'redelivered':
        break;
    }
    this.#replenish();
  }

  /** Permits as many messages as there is capacity for, with one frame per turn of the event loop. */
  #replenish(): void {
    if (this.#isReplenishing) return;
    this.#isReplenishing = true;
    endOfTurn('request for messages', () => {
      this.#isReplenishing = false;
      const permitMessages = this.#unacked.capacity - this.#permits;
      if (this.#isPaused || permitMessages <= 0) return;
      if (this.#socket.send(JSON.stringify({ type: 'permit', permitMessages })))
        this.#permits += permitMessages;
    });
  }

  #send(type: 'acknowledge' | 'negativeAcknowledge', messageId: string): boolean {
    return this.#socket.send(JSON.stringify({ type, messageId }));
  }
}

function pathOf(
  { topic, subscription, consumerName, type, from, maxUnacked, deadLetter }: PulsarConsumeOptions,
  prefetch: number,
): string {
  const name = [topic.tenant, topic.namespace, topic.localName, subscription]
    .map(encodeURIComponent)
    .join('/');
  const query = new URLSearchParams({
    subscriptionType: type,
    subscriptionInitialPosition: from === 'earliest' ? 'Earliest' : 'Latest',
    pullMode: 'true',
    receiverQueueSize: String(Math.min(prefetch, maxUnacked)),
    negativeAckRedeliveryDelay: String(REDELIVERY_DELAY_MS),
  });
  if (consumerName !== undefined) query.set('consumerName', consumerName);
  if (deadLetter) {
    query.set('maxRedeliverCount', String(deadLetter.maxRedeliverCount));
    query.set('deadLetterTopic', topicUri(deadLetter.topic));
  }
  return `consumer/persistent/${name}?${query.toString()}`;
}
