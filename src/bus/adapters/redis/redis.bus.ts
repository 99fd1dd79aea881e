import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { BrokerStatus } from '../../../metrics/index.js';
import { closeRedis, openRedis, type RedisClient, type RedisDriverOptions } from '../../../redis/index.js';
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
import { StreamNotifier, type StreamWatch } from './streams/stream-notifier.js';
import type { WorkerNumber } from './streams/assignment.js';
import { ReadAckBatcher } from './streams/read-ack-batcher.js';
import { lagOf } from './streams/lag.js';
import { partitionCount, type RedisStreamsOptions } from './redis.options.js';
import { PartitionCounts } from './streams/partition-counts.js';
import { StreamKeys, type StreamPartition } from './streams/stream-keys.js';
import { RedisPublisher } from './streams/publisher.js';
import { RedisSubscription, type SubscriptionContext } from './streams/subscription.js';
import { StreamTrimmer } from './streams/trimmer.js';

export interface RedisBusOptions extends RedisDriverOptions {
  readonly streams: RedisStreamsOptions;
  /**
   * The fixed share of the partitions that this process reads. If absent, the members of a group divide them
   * dynamically.
   */
  readonly worker?: WorkerNumber | undefined;
}

/**
 * The bus over Redis Streams. A topic consists of several streams, its partitions; the key of a record selects one of
 * them. One member of a group at a time reads a partition, which is ensured by a lease.
 *
 * Beyond the port's contract:
 * - A rejected record blocks its own partition during the backoff, and no other.
 * - A partition gets a new owner only after the former owner's handler has finished.
 */
export class RedisBus implements Bus {
  /** `durable` is true only as far as the server is configured for it: see `appendonly` in docs/brokers.md. */
  readonly capabilities: BusCapabilities = {
    durable: true,
    shared: true,
    keyOrder: true,
    remembersGroups: true,
  };
  readonly #keys: StreamKeys;
  readonly #publisher: RedisPublisher;
  readonly #context: SubscriptionContext;
  readonly #subscriptions = new Set<RedisSubscription>();
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly client: RedisClient,
    private readonly options: RedisBusOptions,
  ) {
    const { streams, worker } = options;
    this.#keys = new StreamKeys({
      keyPrefix: options.keyPrefix,
      streamName: streams.streamName,
      partitions: partitionCount(streams),
    });
    const counts = new PartitionCounts(client, this.#keys);
    const trimmer = new StreamTrimmer(client, streams.maxLength);
    const countForTrimming = (partition: StreamPartition, count: number) => trimmer.count(partition, count);
    this.#publisher = new RedisPublisher({
      client,
      keys: this.#keys,
      counts,
      sendTimeoutMs: options.commandTimeoutMs,
      maxQueuedBytes: streams.maxQueuedBytes,
      onSent: countForTrimming,
    });
    this.#context = {
      client,
      batcher: new ReadAckBatcher(client, options.clusterNodes.length === 0),
      keys: this.#keys,
      counts,
      streams,
      worker,
      watch: this.#watcher(),
      onAcknowledged: countForTrimming,
    };
  }

  /**
   * Resolves when Redis is connected, or when the first attempt failed. In that case it connects later, and reports
   * it to `status`.
   */
  static async open(options: RedisBusOptions, status: BrokerStatus): Promise<RedisBus> {
    return new RedisBus(await openRedis(options, status), options);
  }

  async publish(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed !== undefined) throw new BusClosedError();
    await this.#publisher.publish(topic, records);
  }

  async subscribe(options: SubscribeOptions, handler: RecordHandler): Promise<BusSubscription> {
    if (this.#closed !== undefined) throw new BusClosedError();
    const member = `${hostname()}:${process.pid}:${randomBytes(6).toString('hex')}`;
    const subscription = new RedisSubscription(this.#context, options, member, handler);
    const close = async () => {
      await subscription.close();
      this.#subscriptions.delete(subscription);
    };
    this.#subscriptions.add(subscription);
    try {
      await subscription.opened();
    } catch (error) {
      await close();
      throw error;
    }
    return {
      pause: () => subscription.pause(),
      resume: () => subscription.resume(),
      close,
    };
  }

  async lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]> {
    const partitions = topics.flatMap((topic) => this.#keys.partitionsOf(topic));
    const members = [...this.#subscriptions].filter((subscription) => subscription.group === group);
    return lagOf(this.client, this.#keys, group, partitions, (partition) =>
      members.length === 0 ? undefined : members.some((member) => member.isAssigned(partition)),
    );
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    await this.#publisher.drain();
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    await closeRedis(this.client);
  }

  /**
   * In a Cluster, XREAD can wait for one stream only, so that each needs a connection. Otherwise one connection
   * serves all.
   */
  #watcher(): (partition: StreamPartition) => StreamWatch {
    const { client, options } = this;
    const open = () => openRedis(options, new BrokerStatus('redis (stream notifier)'));
    const blockMs = options.commandTimeoutMs / 2;
    if (options.clusterNodes.length > 0) {
      return ({ stream }) => new StreamNotifier({ open, blockMs }).watch(stream);
    }
    const unblock = (connection: number) => client.call('CLIENT', 'UNBLOCK', connection);
    const notifier = new StreamNotifier({ open, blockMs, unblock });
    return ({ stream }) => notifier.watch(stream);
  }
}
