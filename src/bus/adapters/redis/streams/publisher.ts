import type { RedisClient } from '../../../../redis/index.js';
import { BrokerUnavailableError } from '../../../bus.errors.js';
import type { OutgoingRecord } from '../../../../message/index.js';
import { Watchdog } from '../../../consumers/watchdog.js';
import { redisCall } from '../call.js';
import { fieldsOf } from './entry.js';
import type { PartitionCounts } from './partition-counts.js';
import { partitionOfKey, type StreamKeys, type StreamPartition } from './partition.js';
import { append } from './stream-scripts.js';

export interface PublisherContext {
  readonly client: RedisClient;
  readonly keys: StreamKeys;
  readonly counts: PartitionCounts;
  /** After how long a call is given up, in ms, whether it waits behind others or for an answer. */
  readonly sendTimeoutMs: number;
  /** Bytes that may wait to be sent. */
  readonly maxQueuedBytes: number;
  /** So many records were added to the partition. */
  readonly onSent: (partition: StreamPartition, count: number) => void;
}

type Fields = readonly (string | Buffer)[];

/** Redis does nothing else while it runs a script: this many records take it about a millisecond. */
const MAX_EXCHANGE_RECORDS = 500;
const MAX_EXCHANGE_BYTES = 1024 * 1024;

/** Spreads records over the partitions: by key, or one after the other where they have none. */
export class RedisPublisher {
  readonly #queues = new Map<StreamPartition, PartitionQueue>();
  readonly #watchdog: Watchdog;
  #queuedBytes = 0;
  #turn = 0;

  constructor(private readonly context: PublisherContext) {
    this.#watchdog = new Watchdog(context.sendTimeoutMs);
  }

  publish(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    const { maxQueuedBytes, keys } = this.context;
    const fields = records.map(fieldsOf);
    const bytes = fields.reduce((sum, each) => sum + sizeOf(each), 0);
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > maxQueuedBytes) {
      const reason = `${this.#queuedBytes} bytes wait to be sent`;
      return Promise.reject(new BrokerUnavailableError('redis', reason));
    }
    const partitions = keys.partitionsOf(topic);
    this.#queuedBytes += bytes;
    const call = new Call(records.length, () => {
      this.#queuedBytes -= bytes;
      release();
    });
    const release = this.#watchdog.watch(() => call.failed(this.#tooLate()));
    for (const [index, { key }] of records.entries()) {
      const count = partitions.length;
      const number = key === undefined ? this.#turn++ % count : partitionOfKey(key, count);
      this.#queueOf(partitions[number]!).add(call, fields[index]!);
    }
    return call.settled;
  }

  /** Resolves when nothing is under way any more. */
  async drain(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.drained));
    this.#watchdog.close();
  }

  #tooLate(): BrokerUnavailableError {
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

/**
 * Sends one exchange at a time: what comes in one event-loop turn, or while an exchange is under way, shares the next. So the
 * records stay in order whatever happens to an exchange: a script that the server does not know yet, a slot of a Cluster
 * that moved to another node.
 */
class PartitionQueue {
  #calls: Call[] = [];
  #records: Fields[] = [];
  #draining: Promise<void> | undefined;

  constructor(
    private readonly partition: StreamPartition,
    private readonly context: PublisherContext,
  ) {}

  get drained(): Promise<void> {
    return this.#draining ?? Promise.resolve();
  }

  add(call: Call, fields: Fields): void {
    this.#calls.push(call);
    this.#records.push(fields);
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    await new Promise<void>((resolve) => process.nextTick(resolve));
    while (this.#hasWork()) {
      const count = this.#exchangeSize();
      const calls = this.#calls.splice(0, count);
      try {
        await this.context.counts.confirm(this.partition.topic);
        await this.#send(this.#records.splice(0, count));
        for (const call of calls) call.sent();
        this.context.onSent(this.partition, count);
      } catch (error) {
        // Those that wait would do so for the same server, in vain.
        for (const call of [...calls, ...this.#calls.splice(0)]) call.failed(error as Error);
        this.#records = [];
      }
    }
    this.#draining = undefined;
  }

  /** Passes over what its caller was told is not sent. Calls expire in their order, so that those are the first. */
  #hasWork(): boolean {
    if (this.#calls[0]?.isSettled) {
      const next = this.#calls.findIndex(({ isSettled }) => !isSettled);
      const expired = next < 0 ? this.#calls.length : next;
      this.#calls.splice(0, expired);
      this.#records.splice(0, expired);
    }
    return this.#records.length > 0;
  }

  #send(records: readonly Fields[]): Promise<unknown> {
    const { client } = this.context;
    const { stream } = this.partition;
    const [only] = records;
    if (only !== undefined && records.length === 1) {
      return redisCall(client.call('XADD', [stream, '*', ...only]));
    }
    // One command: the client's own cost of a command is several times that of adding a record.
    const args = records.flatMap((fields) => [fields.length, ...fields]);
    return append.run(client, [stream], args);
  }

  #exchangeSize(): number {
    let bytes = 0;
    let count = 0;
    for (const fields of this.#records) {
      bytes += sizeOf(fields);
      if (count > 0 && (count === MAX_EXCHANGE_RECORDS || bytes > MAX_EXCHANGE_BYTES)) break;
      count++;
    }
    return count;
  }
}

/** One call of `publish`, whose records may go different ways. */
class Call {
  readonly #settled = Promise.withResolvers<void>();
  #isSettled = false;

  constructor(
    private waiting: number,
    private readonly onSettled: () => void,
  ) {}

  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  sent(): void {
    if (--this.waiting === 0) this.#settle();
  }

  failed(error: Error): void {
    this.#settle(error);
  }

  #settle(error?: Error): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.onSettled();
    if (error === undefined) this.#settled.resolve();
    else this.#settled.reject(error);
  }
}

function sizeOf(fields: Fields): number {
  let bytes = 0;
  for (const field of fields) bytes += field.length;
  return bytes;
}
