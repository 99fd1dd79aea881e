import type { BrokerStatus } from '../../../metrics/index.js';
import { BusClosedError } from '../../bus.errors.js';
import type {
  Bus,
  BusCapabilities,
  BusSubscription,
  PartitionLag,
  RecordHandler,
  SubscribeOptions,
} from '../../bus.port.js';
import type { OutgoingRecord } from '../../../message/index.js';
import { canTellLag, lagOf } from './lag.js';
import { openPulsarTransport } from './open-transport.js';
import type { PulsarDriverOptions } from './pulsar.options.js';
import { PulsarSubscription } from './subscription.js';
import { topicOf } from './topic.js';
import type { PulsarProducer, PulsarTransport } from './transport.js';

/**
 * Topics on Pulsar. A group is a subscription of type `Key_Shared`: the broker keeps a key with one member, and moves it
 * only when what that member holds of it is answered.
 *
 * Pulsar creates a topic and a subscription on first use, where the namespace allows it.
 */
export class PulsarBus implements Bus {
  readonly capabilities: BusCapabilities = {
    durable: true,
    shared: true,
    keyOrder: true,
    remembersGroups: true,
  };
  readonly #producers = new Map<string, PulsarProducer>();
  readonly #subscriptions = new Set<PulsarSubscription>();
  #closing: Promise<void> | undefined;

  private constructor(
    private readonly options: PulsarDriverOptions,
    private readonly transport: PulsarTransport,
  ) {}

  /**
   * Does not wait for Pulsar.
   *
   * @param topics that will be published to: connecting to them at once makes `status` say early whether Pulsar and the
   *   token are in order
   * @throws {AdapterUnusableError} the native client is asked for and cannot be loaded
   */
  static async open(
    options: PulsarDriverOptions,
    status: BrokerStatus,
    topics: readonly string[] = [],
  ): Promise<PulsarBus> {
    const bus = new PulsarBus(options, await openPulsarTransport(options, status));
    for (const topic of topics) bus.#producer(topic);
    return bus;
  }

  // Not async for its own sake: a refusal has to be a rejection.
  async publish(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closing) throw new BusClosedError();
    const producer = this.#producer(topic);
    const sends = records.map(({ key, headers, value }) =>
      producer.send({ payload: value, properties: headers ?? {}, ...(key === undefined ? {} : { key }) }),
    );
    // All of them settle first, so that a retry does not overtake what is still on its way.
    const failed = (await Promise.allSettled(sends)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  async subscribe(options: SubscribeOptions, handler: RecordHandler): Promise<BusSubscription> {
    if (this.#closing) throw new BusClosedError();
    const { topics, group, maxBatchSize = 1, concurrency = 1, from = 'latest' } = options;
    const subscription = new PulsarSubscription(
      { maxBatchSize, concurrency },
      this.options,
      handler,
      (closed) => this.#subscriptions.delete(closed),
    );
    const maxInHand = Math.max(this.options.maxInHand, maxBatchSize * concurrency);
    for (const name of topics) {
      const topic = topicOf(name, this.options);
      subscription.add(name, (onMessage, onLost) =>
        this.transport.consume(
          { topic, subscription: group, type: 'Key_Shared', from, maxInHand },
          onMessage,
          onLost,
        ),
      );
    }
    this.#subscriptions.add(subscription);
    await subscription.decided();
    return subscription;
  }

  async lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]> {
    if (!canTellLag(this.options)) return [];
    const lags = topics.map((name) => lagOf(topicOf(name, this.options), group, this.options));
    return (await Promise.all(lags)).flat();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    await Promise.all([...this.#producers.values()].map((producer) => producer.close()));
    await this.transport.close();
  }

  #producer(topic: string): PulsarProducer {
    const known = this.#producers.get(topic);
    if (known) return known;
    const producer = this.transport.produce(topicOf(topic, this.options));
    this.#producers.set(topic, producer);
    return producer;
  }
}
