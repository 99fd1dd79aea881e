import type { ProgressReporter, SubscriptionObserver } from '../../bus.port.js';
import type { PulsarTopic } from './topic.js';

export interface PulsarSend {
  readonly payload: Buffer;
  readonly properties: Readonly<Record<string, string>>;
  readonly key?: string;
  /** Unix time in ms until which the broker holds the message back, within the precision of its tick. */
  readonly deliverAt?: number;
}

export interface PulsarMessage {
  /** `ledger:entry:partition:batch`. The same for every delivery of the message. */
  readonly position: string;
  /** 0 if the topic is not partitioned. */
  readonly partition: number;
  readonly payload: Buffer;
  readonly properties: Readonly<Record<string, string>>;
  readonly key?: string;
  /** Unix time in ms at which its producer sent it. */
  readonly publishedAt: number;
  /** How often it was negatively acknowledged before. The broker forgets this number when it restarts. */
  readonly redeliveryCount: number;
}

/**
 * Sends messages to one topic. It connects and reconnects by itself.
 *
 * - `send` resolves when the broker has stored the message. It rejects with `BrokerUnavailableError` within
 *   `sendTimeoutMs`, or at once while the broker is known to be unavailable. A message whose send was rejected may
 *   have been stored.
 * - Messages are sent in the order of the calls.
 * - `close` waits for sends in flight.
 */
export interface PulsarProducer {
  send(message: PulsarSend): Promise<void>;
  close(): Promise<void>;
}

export interface PulsarConsumeOptions {
  readonly topic: PulsarTopic;
  readonly subscription: string;
  /** Identifies the consumer in the statistics of the broker. */
  readonly consumerName?: string;
  /** `Key_Shared` delivers messages with one key to one consumer, in order. Both types support delayed delivery. */
  readonly type: 'Shared' | 'Key_Shared';
  readonly from: 'earliest' | 'latest';
  /** Largest number of messages that are delivered, and neither acknowledged nor negatively acknowledged. */
  readonly maxUnacked: number;
  readonly deadLetter?: { readonly topic: PulsarTopic; readonly maxRedeliverCount: number };
  /** Receives what keeps this consumer from receiving messages. */
  readonly progress?: ProgressReporter | undefined;
  /** Receives whether this is a member of the subscription, see {@link SubscriptionObserver}. */
  readonly observer?: SubscriptionObserver | undefined;
  /** Pause after an attempt to connect that failed, in ms. Default: one that grows. */
  readonly restartDelayMs?: number | undefined;
}

/**
 * Receives messages of one topic, as one member of a subscription. It connects and reconnects by itself.
 *
 * - A message is unacknowledged, and counts for `maxUnacked`, until it is acknowledged, negatively acknowledged or
 *   forgotten.
 * - After a lost connection the broker delivers unacknowledged messages again, to this member or to another one. Such
 *   a message is not passed to `onMessage` a second time.
 */
export interface PulsarConsumer {
  /** Resolves when the subscription exists and this is a member. Rejects if it is closed before that. */
  readonly subscribed: Promise<unknown>;
  /** Resolves after the first attempt to subscribe, whether it succeeded or failed. After a failure it keeps trying. */
  readonly attempted: Promise<unknown>;
  acknowledge(message: PulsarMessage): void;
  /**
   * Makes the broker deliver the message again at once, to any member, with a higher count; or makes it a dead
   * letter.
   */
  negativeAcknowledge(message: PulsarMessage): void;
  /**
   * Returns whether the message is this member's. After a lost connection it is not, until the broker delivers it
   * again.
   */
  owns(message: PulsarMessage): boolean;
  /** Drops the message without acknowledging it. If the broker delivers it again, it is passed to `onMessage` again. */
  forget(message: PulsarMessage): void;
  pause(): void;
  resume(): void;
  /**
   * Ends the connection and opens another one. The broker delivers the unacknowledged messages again.
   *
   * @returns false if there is no connection, or no capacity for further messages
   */
  reconnect(reason: string): boolean;
  /** Sends pending acknowledgements and leaves the subscription. Other members receive the unacknowledged messages. */
  close(): Promise<void>;
}

/** The operations of Pulsar that Carillon uses, over either of its protocols. */
export interface PulsarTransport {
  /** How long to wait after a message for others that belong into the same batch, in ms. 0 if they come in one event-loop turn. */
  readonly coalesceMs: number;
  produce(topic: PulsarTopic): PulsarProducer;
  /**
   * @param onLost called when the connection was lost, so that other members may receive the unacknowledged messages.
   * The
   *   native client does not report this.
   */
  consume(
    options: PulsarConsumeOptions,
    onMessage: (message: PulsarMessage) => void,
    onLost?: () => void,
  ): PulsarConsumer;
  /** Close its producers and consumers before. */
  close(): Promise<void>;
}
