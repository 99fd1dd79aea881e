import type { Consumer, EachBatchPayload } from 'kafkajs';
import { inBackground, settlesWithin } from '../../../async/index.js';
import { KafkaCommits } from './commits.js';
import { PartitionWorker, type WorkerContext } from './partition-worker.js';

/** How long the fetch loop waits for a worker that is full, before it pauses the partition and fetches the others. */
const ROOM_TIMEOUT_MS = 250;

/**
 * The partition workers of one group membership, and the commits of what they handled.
 *
 * kafkajs fetches from all partitions, waits until `eachBatch` has resolved for each of them, and fetches again. Here, `eachBatch`
 * only passes the records to the partition's worker. The partition of a full worker is paused until the worker has room.
 */
export class PartitionWorkers {
  readonly #workers = new Map<string, PartitionWorker>();
  readonly #commits: KafkaCommits;
  /** Heartbeats and commits need the payload of a fetch. */
  #lastPayload: EachBatchPayload | undefined;

  constructor(
    private readonly consumer: Pick<Consumer, 'pause' | 'resume'>,
    private readonly context: Omit<WorkerContext, 'onHandled'>,
  ) {
    this.#commits = new KafkaCommits(context.group);
  }

  get isCommitting(): boolean {
    return this.#commits.isPending;
  }

  async take(payload: EachBatchPayload): Promise<void> {
    if (!payload.isRunning() || payload.isStale()) return;
    this.#lastPayload = payload;
    const { topic, partition, messages } = payload.batch;
    const worker = this.#workerOf(topic, partition);
    worker.push(messages);
    // Moves the position of the next fetch. Handled records are committed separately.
    payload.resolveOffset(messages.at(-1)?.offset ?? payload.batch.lastOffset());
    if (!worker.isFull || (await settlesWithin(ROOM_TIMEOUT_MS, worker.room()))) return;
    const place = [{ topic, partitions: [partition] }];
    this.consumer.pause(place);
    // Also if the worker was stopped in the meantime: the partition may be assigned to this member again.
    inBackground('resumption of a partition', async () => {
      await worker.room();
      this.consumer.resume(place);
    });
  }

  /** Sends a heartbeat. It may fail because a rebalance is due, which this member knows already. */
  sendHeartbeat(): void {
    this.#lastPayload?.heartbeat().catch(() => {});
  }

  /** Discards unhandled records and uncommitted offsets. The next owners of the partitions handle those records. */
  stop(): void {
    for (const worker of this.#workers.values()) worker.stop();
    this.#workers.clear();
    this.#commits.discard();
  }

  flushed(): Promise<void> {
    return this.#commits.flushed();
  }

  #workerOf(topic: string, partition: number): PartitionWorker {
    const place = `${topic}/${partition}`;
    let worker = this.#workers.get(place);
    if (worker === undefined) {
      worker = new PartitionWorker({ ...this.context, onHandled: this.#onHandled }, topic, partition);
      this.#workers.set(place, worker);
    }
    return worker;
  }

  readonly #onHandled: WorkerContext['onHandled'] = (worker, offset) => {
    const payload = this.#lastPayload;
    if (payload === undefined || worker.isStopped) return;
    this.#commits.mark(worker.topic, worker.partition, offset, (offsets) =>
      payload.commitOffsetsIfNecessary(offsets),
    );
  };
}
