import type { RedisClient } from '../../../../redis/index.js';
import { redisCall } from '../call.js';
import type { PartitionCounts } from './partition-counts.js';
import type { PublishCall } from './publish-call.js';
import type { StreamPartition } from './stream-keys.js';
import { append } from './stream-scripts.js';

export interface PartitionQueueContext {
  readonly client: RedisClient;
  readonly counts: PartitionCounts;
  /** Called with the number of records that were added to the partition. */
  readonly onSent: (partition: StreamPartition, count: number) => void;
}

/** Names and values of a record's fields in turn. */
export type Fields = readonly (string | Buffer)[];

/** Redis executes nothing else while it runs a script: this many records take it about a millisecond. */
const MAX_BATCH_RECORDS = 500;
const MAX_BATCH_BYTES = 1024 * 1024;

/**
 * Sends the records of one partition, one batch at a time. Records that arrive in one event-loop turn, or while a
 * batch is being sent, share the next batch. The records therefore stay in order whatever happens to a batch: a
 * script that the server does not know yet, or a Cluster slot that moved to another node.
 */
export class PartitionQueue {
  /** The call to which each of the records belongs. */
  #calls: PublishCall[] = [];
  #records: Fields[] = [];
  #draining: Promise<void> | undefined;

  constructor(
    private readonly partition: StreamPartition,
    private readonly context: PartitionQueueContext,
  ) {}

  /** Resolves when nothing is waiting to be sent. */
  get drained(): Promise<void> {
    return this.#draining ?? Promise.resolve();
  }

  add(call: PublishCall, fields: Fields): void {
    this.#calls.push(call);
    this.#records.push(fields);
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    await new Promise<void>((resolve) => process.nextTick(resolve));
    while (this.#hasRecords()) {
      const count = this.#batchSize();
      const calls = this.#calls.splice(0, count);
      try {
        await this.context.counts.confirm(this.partition.topic);
        await this.#send(this.#records.splice(0, count));
        for (const call of calls) call.sent();
        this.context.onSent(this.partition, count);
      } catch (error) {
        // The waiting records are for the same server and would fail as well.
        for (const call of [...calls, ...this.#calls.splice(0)]) call.failed(error as Error);
        this.#records = [];
      }
    }
    this.#draining = undefined;
  }

  /** Drops the records of calls that have timed out. Calls time out in order, so that these records are the first. */
  #hasRecords(): boolean {
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
    // One command for the batch: in the client a command costs several times as much as adding a record.
    const args = records.flatMap((fields) => [fields.length, ...fields]);
    return append.run(client, [stream], args);
  }

  #batchSize(): number {
    let bytes = 0;
    let count = 0;
    for (const fields of this.#records) {
      bytes += sizeOf(fields);
      if (count > 0 && (count === MAX_BATCH_RECORDS || bytes > MAX_BATCH_BYTES)) break;
      count++;
    }
    return count;
  }
}

/** Returns the size of a record in bytes; a text field counts as its number of characters. */
export function sizeOf(fields: Fields): number {
  let bytes = 0;
  for (const field of fields) bytes += field.length;
  return bytes;
}
