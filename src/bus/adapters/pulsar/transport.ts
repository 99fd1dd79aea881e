import type { PulsarTopic } from './topic.js';

export interface PulsarSend {
  readonly payload: Buffer;
  readonly properties: Readonly<Record<string, string>>;
  readonly key?: string;
  /** Unix time in ms before which the broker is to keep it back, give or take its tick. */
  readonly deliverAt?: number;
}

export interface PulsarMessage {
  /** `ledger:entry:partition:batch`. The same at every delivery of the message. */
  readonly position: string;
  /** 0 where the topic has none. */
  readonly partition: number;
  readonly payload: Buffer;
  readonly properties: Readonly<Record<string, string>>;
  readonly key?: string;
  /** Unix time in ms at which its producer sent it. */
  readonly publishedAt: number;
  /** How often it was refused before. The broker forgets it when it restarts. */
  readonly redeliveryCount: number;
}

/**
 * Sends to one topic. It connects by itself, for as long as it takes.
 *
 * `send` resolves when the broker has stored the message and rejects with `BrokerUnavailableError` within
 * `sendTimeoutMs`: at once while the broker is known to be away. A message whose send was rejected may be stored all
 * the same. Calls are sent in the order in which they were made. `close` waits for sends under way.
 */
export interface PulsarProducer {
  send(message: PulsarSend): Promise<void>;
  close(): Promise<void>;
}

export interface PulsarConsumeOptions {
  readonly topic: PulsarTopic;
  readonly subscription: string;
  /** `Key_Shared` keeps messages with one key with one consumer, in order. Both honour delays. */
  readonly type: 'Shared' | 'Key_Shared';
  readonly from: 'earliest' | 'latest';
  /** The most messages that are delivered and neither acknowledged nor refused. */
  readonly maxInHand: number;
  readonly deadLetter?: { readonly topic: PulsarTopic; readonly maxRedeliverCount: number };
}

/**
 * Takes messages of one topic, as one member of a subscription. It connects by itself, for as long as it takes.
 *
 * A message stays in hand, and keeps its place in `maxInHand`, until it is acknowledged, refused or forgotten. After a lost
 * connection the broker delivers again what was in hand, to this member or to another; that is not reported a second time.
 */
export interface PulsarConsumer {
  /** Resolves when the subscription exists and this is a member. Rejects when it is closed before. */
  readonly inForce: Promise<unknown>;
  /** Resolves when it is in force, or when it turned out that Pulsar does not answer: it is then made as soon as it does. */
  readonly decided: Promise<unknown>;
  acknowledge(message: PulsarMessage): void;
  /** Has the broker deliver it again at once, to any member, with a higher count; or put it among the dead letters. */
  refuse(message: PulsarMessage): void;
  /** Whether the message is this member's. It is not once the connection was lost, until the broker delivers it again. */
  owns(message: PulsarMessage): boolean;
  /** Leaves the message to the broker, without an answer: if it is delivered again, it is reported again. */
  forget(message: PulsarMessage): void;
  pause(): void;
  resume(): void;
  /** Sends what was acknowledged and leaves. What is still in hand goes to other members. */
  close(): Promise<void>;
}

/** What Carillon needs of Pulsar, over either of its protocols. */
export interface PulsarTransport {
  produce(topic: PulsarTopic): PulsarProducer;
  /** @param onLost the connection was lost, so that others may be given what is in hand. The native client does not tell. */
  consume(
    options: PulsarConsumeOptions,
    onMessage: (message: PulsarMessage) => void,
    onLost?: () => void,
  ): PulsarConsumer;
  /** Its producers and consumers have to be closed before. */
  close(): Promise<void>;
}
