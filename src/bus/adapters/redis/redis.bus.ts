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
import { Arrivals, type Watch } from './streams/stream-notifier.js';
import type { WorkerNumber } from './streams/assignment.js';
import { Exchanges } from './streams/read-ack-batcher.js';
import { lagOf } from './streams/lag.js';
import type { RedisStreamsOptions } from './redis.options.js';
import { PartitionCounts } from './streams/partition-counts.js';
import { StreamKeys, type StreamPartition } from './streams/partition.js';
import { RedisPublisher } from './streams/publisher.js';
import { RedisSubscription, type SubscriptionContext } from './streams/subscription.js';
import { StreamTrimmer } from './streams/trimmer.js';

export interface RedisBusOptions extends RedisDriverOptions {
  readonly streams: RedisStreamsOptions;
  /** Which share of the partitions this process reads. Without it, members share them out among themselves. */
  readonly worker?: WorkerNumber | undefined;
}

/**
 * The bus over Redis Streams: a topic is a number of streams, a key has its place in one of them, and of the members of a group
 * one at a time reads a stream, by a lease.
 *
 * Beyond the port's contract: a record that is rejected blocks its partition during the back-off, and no other; a
 * partition that changes hands is in nobody's hands before the former owner's handler has finished.
 */
export class RedisBus implements Bus {
  /** As durable as the server was told to be: see `appendonly` in docs/brokers.md. */
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
    this.#keys = new StreamKeys({ keyPrefix: options.keyPrefix, ...streams });
    const counts = new PartitionCounts(client, this.#keys);
    const trimmer = new StreamTrimmer(client, streams.maxLength);
    const onPassed = (partition: StreamPartition, count: number) => trimmer.passed(partition, count);
    this.#publisher = new RedisPublisher({
      client,
      keys: this.#keys,
      counts,
      sendTimeoutMs: options.commandTimeoutMs,
      maxQueuedBytes: streams.maxQueuedBytes,
      onSent: onPassed,
    });
    this.#context = {
      client,
      exchanges: new Exchanges(client, options.clusterNodes.length === 0),
      keys: this.#keys,
      counts,
      streams,
      worker,
      watch: this.#watcher(),
      onAcknowledged: onPassed,
    };
  }

  /** Resolves when Redis is reached, or when the first attempt failed: it is reached later then, and `status` tells. */
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
    return lagOf(this.client, group, partitions);
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

  /** In a Cluster, a command can wait for one stream only; elsewhere one connection waits for all. */
  #watcher(): (partition: StreamPartition) => Watch {
    const { client, options } = this;
    const open = () => openRedis(options, new BrokerStatus('redis (arrivals)'));
    const blockMs = options.commandTimeoutMs / 2;
    if (options.clusterNodes.length > 0) {
      return ({ stream }) => new Arrivals({ open, blockMs }).watch(stream);
    }
    const unblock = (connection: number) => client.call('CLIENT', 'UNBLOCK', connection);
    const arrivals = new Arrivals({ open, blockMs, unblock });
    return ({ stream }) => arrivals.watch(stream);
  }
}
