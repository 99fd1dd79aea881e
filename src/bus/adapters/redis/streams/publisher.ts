import { BrokerUnavailableError } from '../../../bus.errors.js';
import type { OutgoingRecord } from '../../../../message/index.js';
import { Watchdog } from '../../../consumers/watchdog.js';
import { fieldsOf } from './entry.js';
import { PartitionQueue, type PartitionQueueContext, sizeOf } from './partition-queue.js';
import { PublishCall } from './publish-call.js';
import { partitionOfKey, type StreamKeys, type StreamPartition } from './stream-keys.js';

export interface PublisherContext extends PartitionQueueContext {
  readonly keys: StreamKeys;
  /** A call fails after this time, in ms, whether it waits behind others or for a reply. */
  readonly sendTimeoutMs: number;
  /** Largest number of bytes that may wait to be sent. */
  readonly maxQueuedBytes: number;
}

/** Distributes records over the partitions: by key, or round-robin for records without a key. */
export class RedisPublisher {
  readonly #queues = new Map<StreamPartition, PartitionQueue>();
  readonly #watchdog: Watchdog;
  #queuedBytes = 0;
  #nextPartition = 0;

  constructor(private readonly context: PublisherContext) {
    this.#watchdog = new Watchdog(context.sendTimeoutMs);
  }

  publish(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    const { maxQueuedBytes, keys } = this.context;
    const fields = records.map(fieldsOf);
    const bytes = fields.reduce((sum, each) => sum + sizeOf(each), 0);
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > maxQueuedBytes) {
      const reason = `${this.#queuedBytes} bytes are already waiting to be sent`;
      return Promise.reject(new BrokerUnavailableError('redis', reason));
    }
    const partitions = keys.partitionsOf(topic);
    this.#queuedBytes += bytes;
    const call = new PublishCall(records.length, () => {
      this.#queuedBytes -= bytes;
      release();
    });
    const release = this.#watchdog.watch(() => call.failed(this.#timeoutError()));
    for (const [index, { key }] of records.entries()) {
      const count = partitions.length;
      const number = key === undefined ? this.#nextPartition++ % count : partitionOfKey(key, count);
      this.#queueOf(partitions[number]!).add(call, fields[index]!);
    }
    return call.settled;
  }

  /** Resolves when nothing is being sent any more. */
  async drain(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.drained));
    this.#watchdog.close();
  }

  #timeoutError(): BrokerUnavailableError {
    return new BrokerUnavailableError('redis', `no answer within ${this.context.sendTimeoutMs} ms`);
  }

  #queueOf(partition: StreamPartition): PartitionQueue {
    let queue = this.#queues.get(partition);
    if (queue === undefined) {
      queue = new PartitionQueue(partition, this.context);
      this.#queues.set(partition, queue);
    }
    return queue;
  }
}
