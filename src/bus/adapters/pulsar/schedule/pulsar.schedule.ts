import type { BrokerStatus } from '../../../../metrics/index.js';
import { BrokerUnavailableError, BusClosedError } from '../../../bus.errors.js';
import { toRecord, type ScheduledMessage } from '../../../../message/index.js';
import type { ScheduleLedger } from '../../../schedule/schedule-ledger.port.js';
import {
  type DueHandler,
  Schedule,
  type ScheduleConsumeOptions,
  type ScheduleConsumer,
  type SchedulePage,
  type ScheduleQuery,
  type ScheduleUsage,
} from '../../../schedule/schedule.port.js';
import { settlesWithin } from '../../../../async/index.js';
import { DueConsumer, type DueConsumerOptions } from './due-consumer.js';
import { openPulsarTransport } from '../open-transport.js';
import type { PulsarDriverOptions } from '../pulsar.options.js';
import { topicOf, type PulsarTopic } from '../topic.js';
import type { PulsarConsumeOptions, PulsarConsumer, PulsarProducer, PulsarTransport } from '../transport.js';

export type PulsarScheduleSettings = PulsarDriverOptions & DueConsumerOptions;

/**
 * The delayed lane on Pulsar's delayed delivery. Pulsar keeps a copy of each message and delivers it when it is due.
 * Pulsar can neither list the copies that it keeps, nor drop or move one. The ledger does that:
 *
 * - A copy counts if the ledger says so when it arrives.
 * - A message that was moved to an earlier time has a second copy.
 * - A message that was moved to a later time is sent again when its copy arrives.
 */
export class PulsarSchedule implements Schedule {
  readonly capabilities;
  readonly #topic: PulsarTopic;
  readonly #deadLetterTopic: PulsarTopic;
  readonly #producer: PulsarProducer;
  readonly #subscribed: Promise<void>;
  /** Creates the subscriptions, one after the other. */
  #bootstrapConsumer: PulsarConsumer | undefined;
  readonly #consumers = new Set<DueConsumer>();
  readonly #calls = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly options: PulsarScheduleSettings,
    private readonly transport: PulsarTransport,
    private readonly ledger: ScheduleLedger,
  ) {
    const { topic, subscription, deadLetterTopic = `${topic}-${subscription}-DLQ` } = options;
    // The messages themselves are durable in Pulsar. Cancellations and moves are only as durable as the ledger.
    this.capabilities = { durable: ledger.durable, shared: ledger.shared };
    this.#topic = topicOf(topic, options);
    this.#deadLetterTopic = topicOf(deadLetterTopic, options);
    this.#producer = transport.produce(this.#topic);
    this.#subscribed = this.#createSubscriptions();
    this.#subscribed.catch(() => {}); // rejects if this is closed first
  }

  /**
   * Does not wait for Pulsar. The ledger is closed together with the schedule.
   *
   * @throws {AdapterUnusableError} if the native client is required and cannot be loaded
   */
  static async open(
    options: PulsarScheduleSettings,
    ledger: ScheduleLedger,
    status: BrokerStatus,
  ): Promise<PulsarSchedule> {
    return new PulsarSchedule(options, await openPulsarTransport(options, status), ledger);
  }

  add(message: ScheduledMessage, owner?: string): Promise<void> {
    return this.#call(async () => {
      if (!(await this.ledger.record(message, owner))) return;
      try {
        await this.#send(message);
      } catch (error) {
        // If this fails too, the unconfirmed entry of the ledger expires.
        await this.ledger.abandon(message.id).catch(() => {});
        throw error;
      }
      await this.ledger.confirm(message.id);
    });
  }

  cancel(id: string): Promise<boolean> {
    return this.#call(() => this.ledger.cancel(id));
  }

  reschedule(id: string, dueAt: number): Promise<boolean> {
    return this.#call(async () => {
      const message = await this.ledger.find(id);
      if (!message) return false;
      const before = await this.ledger.move(id, dueAt);
      if (before === undefined) return false;
      if (dueAt < before) await this.#sendEarlier({ ...message, dueAt }, before);
      return true;
    });
  }

  find(id: string): Promise<ScheduledMessage | undefined> {
    return this.#call(() => this.ledger.find(id));
  }

  list(query: ScheduleQuery): Promise<SchedulePage> {
    return this.#call(() => this.ledger.list(query));
  }

  usage(): Promise<ScheduleUsage> {
    return this.#call(() => this.ledger.usage());
  }

  async consume(
    { concurrency, progress }: ScheduleConsumeOptions,
    handler: DueHandler,
  ): Promise<ScheduleConsumer> {
    if (this.#closed) throw new BusClosedError();
    const { maxHeld, maxDeliveries } = this.options;
    const consumer: DueConsumer = new DueConsumer(concurrency, this.options, {
      consume: (onMessage) =>
        this.transport.consume(
          {
            ...this.#subscriptionOf(this.#topic),
            maxUnacked: maxHeld,
            progress,
            // The broker counts redeliveries, without the first delivery.
            ...(maxDeliveries === 0
              ? {}
              : { deadLetter: { topic: this.#deadLetterTopic, maxRedeliverCount: maxDeliveries - 1 } }),
          },
          onMessage,
        ),
      ledger: this.ledger,
      send: (message) => this.#send(message),
      handler,
      progress,
    });
    this.#consumers.add(consumer);
    await consumer.attempted;
    return {
      reconnect: (overdue) => consumer.reconnect(overdue),
      close: async () => {
        await consumer.close();
        this.#consumers.delete(consumer);
      },
    };
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    await Promise.allSettled(this.#calls);
    await Promise.all([this.#producer.close(), this.#bootstrapConsumer?.close()]);
    await this.transport.close();
    await this.ledger.close();
  }

  async #sendEarlier(message: ScheduledMessage, before: number): Promise<void> {
    try {
      await this.#send(message);
    } catch (error) {
      await this.ledger.move(message.id, before, message.dueAt).catch(() => {});
      throw error;
    }
  }

  async #send(message: ScheduledMessage): Promise<void> {
    const { sendTimeoutMs } = this.options;
    if (!(await settlesWithin(sendTimeoutMs, this.#subscribed))) {
      throw new BrokerUnavailableError(
        'pulsar',
        `the subscription to ${this.options.topic} could not be created yet`,
      );
    }
    const deliverAt = Math.ceil(message.dueAt);
    const { key, headers = {}, value } = toRecord({ ...message, dueAt: deliverAt });
    await this.#producer.send({
      payload: value,
      properties: headers,
      ...(key === undefined ? {} : { key }),
      deliverAt,
    });
  }

  /**
   * Pulsar keeps no messages of a topic without a subscription: it must exist before the first message, and before the
   * first dead letter.
   */
  async #createSubscriptions(): Promise<void> {
    for (const topic of [this.#topic, this.#deadLetterTopic]) {
      this.#bootstrapConsumer = this.transport.consume(
        { ...this.#subscriptionOf(topic), maxUnacked: 1 },
        () => {},
      );
      this.#bootstrapConsumer.pause();
      await this.#bootstrapConsumer.subscribed;
      await this.#bootstrapConsumer.close();
    }
  }

  #subscriptionOf(topic: PulsarTopic): Omit<PulsarConsumeOptions, 'maxUnacked'> {
    return { topic, subscription: this.options.subscription, type: 'Shared', from: 'earliest' };
  }

  #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new BusClosedError());
    const call = work().finally(() => this.#calls.delete(call));
    this.#calls.add(call);
    return call;
  }
}
