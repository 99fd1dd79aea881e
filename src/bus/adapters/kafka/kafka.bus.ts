import { inBackground } from '../../../async/index.js';
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
import { checkTopicName } from './kafka.errors.js';
import { KafkaConnection } from './connection.js';
import { lagOf } from './lag.js';
import type { KafkaDriverOptions } from './kafka.options.js';
import { KafkaPublisher } from './publisher.js';
import { KafkaSubscription } from './subscription.js';

/**
 * The bus over Kafka. A key goes to the partition that Kafka's own clients would choose, every in-sync replica acknowledges a
 * record, and offsets are committed only after handling.
 *
 * Beyond the port's contract: a rejected record blocks only its own partition during the backoff; a topic is created with the
 * configured number of partitions when it is first used.
 */
export class KafkaBus implements Bus {
  readonly capabilities: BusCapabilities = {
    durable: true,
    shared: true,
    keyOrder: true,
    remembersGroups: true,
  };
  readonly #publishers = new Map<string, KafkaPublisher>();
  readonly #subscriptions = new Set<KafkaSubscription>();
  #closed: Promise<void> | undefined;

  private constructor(private readonly connection: KafkaConnection) {}

  /** Resolves after the first attempt to connect. If it fails, further attempts follow, and `status` is down until one succeeds. */
  static async open(options: KafkaDriverOptions, status: BrokerStatus): Promise<KafkaBus> {
    const connection = new KafkaConnection(options, status);
    await connection.link().catch(() => {});
    return new KafkaBus(connection);
  }

  async publish(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed !== undefined) throw new BusClosedError();
    let publisher = this.#publishers.get(topic);
    if (publisher === undefined) {
      checkTopicName(topic);
      publisher = new KafkaPublisher(topic, this.connection);
      this.#publishers.set(topic, publisher);
    }
    await publisher.publish(records);
  }

  async subscribe(options: SubscribeOptions, handler: RecordHandler): Promise<BusSubscription> {
    if (this.#closed !== undefined) throw new BusClosedError();
    options.topics.forEach(checkTopicName);
    const subscription = new KafkaSubscription(this.connection, options, handler);
    this.#subscriptions.add(subscription);
    inBackground('end of a Kafka consumer', async () => {
      await subscription.closed;
      this.#subscriptions.delete(subscription);
    });
    await subscription.opened;
    return subscription;
  }

  async lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]> {
    const { admin } = await this.connection.link();
    const lags = (await Promise.all(topics.map((topic) => lagOf(admin, group, topic)))).flat();
    const members = [...this.#subscriptions].filter((subscription) => subscription.group === group);
    if (members.length === 0) return lags;
    return lags.map((lag) => ({
      ...lag,
      isAssigned: members.some((member) => member.isAssigned(lag.topic, lag.partition)),
    }));
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    await Promise.all([...this.#publishers.values()].map((publisher) => publisher.drain()));
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    await this.connection.close();
  }
}
