import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
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
import { lagOf, supportsLag } from './lag.js';
import { openPulsarTransport } from './open-transport.js';
import type { PulsarDriverOptions } from './pulsar.options.js';
import { JoinedObservers } from './joined-observers.js';
import { PulsarSubscription } from './subscription.js';
import { topicOf } from './topic.js';
import type { PulsarProducer, PulsarTransport } from './transport.js';

/**
 * The bus over Pulsar. A group is a subscription of type `Key_Shared`: the broker delivers the records of one key to
 * one member. It moves a key to another member only when the first one has acknowledged its records of that key.
 *
 * Pulsar creates a topic and a subscription on first use, if the namespace allows it.
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
  /** The names of this bus's consumers begin with it. */
  readonly #member = `${hostname()}:${process.pid}:${randomBytes(6).toString('hex')}`;
  #consumers = 0;
  #closing: Promise<void> | undefined;

  private constructor(
    private readonly options: PulsarDriverOptions,
    private readonly transport: PulsarTransport,
  ) {}

  /**
   * Does not wait for Pulsar.
   *
   * @param topics topics that will be published to. Connecting to them at once lets `status` report early whether
   * Pulsar is
   *   reachable and accepts the token.
   * @throws {AdapterUnusableError} if the native client is required and cannot be loaded
   */
  static async open(
    options: PulsarDriverOptions,
    status: BrokerStatus,
    topics: readonly string[] = [],
  ): Promise<PulsarBus> {
    const bus = new PulsarBus(options, await openPulsarTransport(options, status));
    for (const topic of topics) bus.#producer(topic);
    // Pulsar connects for a topic. Until one is used, nothing is down.
    if (topics.length === 0) status.up();
    return bus;
  }

  // `async`, so that an error that is thrown becomes a rejection.
  async publish(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closing) throw new BusClosedError();
    const producer = this.#producer(topic);
    const sends = records.map(({ key, headers, value }) =>
      producer.send({ payload: value, properties: headers ?? {}, ...(key === undefined ? {} : { key }) }),
    );
    // Wait for all of them, so that a retry does not overtake a record that is still in flight.
    const failed = (await Promise.allSettled(sends)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  async subscribe(options: SubscribeOptions, handler: RecordHandler): Promise<BusSubscription> {
    if (this.#closing) throw new BusClosedError();
    const {
      topics,
      group,
      maxBatchSize = 1,
      concurrency = 1,
      from = 'latest',
      progress,
      restartDelayMs,
    } = options;
    const observers = new JoinedObservers(options.observer);
    const subscription = new PulsarSubscription(
      { group, maxBatchSize, concurrency, coalesceMs: this.transport.coalesceMs },
      this.options,
      handler,
      (closed) => this.#subscriptions.delete(closed),
    );
    const maxUnacked = Math.max(this.options.maxInHand, maxBatchSize * concurrency);
    for (const name of topics) {
      const topic = topicOf(name, this.options);
      const consumerName = `${this.#member}:${++this.#consumers}`;
      const observer = observers.add();
      subscription.add(name, (onMessage, onLost) =>
        this.transport.consume(
          {
            topic,
            subscription: group,
            consumerName,
            type: 'Key_Shared',
            from,
            maxUnacked,
            progress,
            observer,
            restartDelayMs,
          },
          onMessage,
          onLost,
        ),
      );
    }
    this.#subscriptions.add(subscription);
    await subscription.attempted();
    return subscription;
  }

  async lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]> {
    if (!supportsLag(this.options)) return [];
    const isMember = [...this.#subscriptions].some((subscription) => subscription.group === group);
    const member = isMember ? this.#member : undefined;
    const lags = topics.map((name) => lagOf(topicOf(name, this.options), group, this.options, member));
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
