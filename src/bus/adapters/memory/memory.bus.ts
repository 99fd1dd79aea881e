import type { BrokerStatus } from '../../../metrics/index.js';
import { BrokerUnavailableError, BusClosedError } from '../../bus.errors.js';
import type {
  Bus,
  BusCapabilities,
  BusSubscription,
  PartitionLag,
  RecordHandler,
  SubscribeOptions,
} from '../../bus.port.js';
import type { OutgoingRecord } from '../../../message/index.js';
import { MemoryGroup } from './group.js';
import type { MemoryBusOptions } from './memory.options.js';
import { MemoryTopic } from './topic.js';

/**
 * The embedded bus: it keeps the whole contract within one process, and nothing survives the process.
 *
 * It is bounded: when a group has `maxPendingRecords` unacknowledged records, publishing to its topics is refused. Because no
 * other process has the records, `close` first gives the consumers a limited time to empty the queues.
 */
export class MemoryBus implements Bus {
  readonly capabilities: BusCapabilities = {
    durable: false,
    shared: false,
    keyOrder: true,
    remembersGroups: true,
  };
  readonly #topics = new Map<string, MemoryTopic>();
  readonly #groups = new Map<string, MemoryGroup>();
  #closed: Promise<void> | undefined;

  constructor(
    private readonly options: MemoryBusOptions,
    status: BrokerStatus,
  ) {
    status.up();
  }

  // Async so that a refusal is a rejection.
  async publish(topicName: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed !== undefined) throw new BusClosedError();
    const topic = this.#topic(topicName);
    const readers = [...this.#groups.values()].filter((group) => group.reads(topic));
    for (const group of readers) this.#refuseIfFull(group, records.length);
    const now = Date.now();
    for (const record of records) {
      const partition = topic.append(record, now);
      for (const group of readers) group.appended(partition);
    }
  }

  async subscribe(options: SubscribeOptions, handler: RecordHandler): Promise<BusSubscription> {
    if (this.#closed !== undefined) throw new BusClosedError();
    const { topics, maxBatchSize = 1, concurrency = 1, from = 'latest' } = options;
    const group = this.#group(options.group);
    for (const topic of topics) group.follow(this.#topic(topic), from);
    const subscription = group.join(topics, { maxBatchSize, concurrency }, handler);
    options.observer?.inForce();
    return subscription;
  }

  async lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]> {
    return this.#groups.get(group)?.lag(topics) ?? [];
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeGroups();
    return this.#closed;
  }

  async #closeGroups(): Promise<void> {
    await Promise.all([...this.#groups.values()].map((group) => group.close()));
  }

  #refuseIfFull(group: MemoryGroup, more: number): void {
    const { maxPendingRecords } = this.options;
    if (group.pending + more <= maxPendingRecords) return;
    throw new BrokerUnavailableError(
      'memory',
      `consumer group ${group.name} has ${group.pending} unacknowledged records, and maxPendingRecords is ${maxPendingRecords}`,
    );
  }

  #topic(name: string): MemoryTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new MemoryTopic(name, this.options.partitions, this.options.retainedRecords);
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #group(name: string): MemoryGroup {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new MemoryGroup(name, this.options);
      this.#groups.set(name, group);
    }
    return group;
  }
}
