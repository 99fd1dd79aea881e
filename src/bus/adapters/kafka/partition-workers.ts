import type { Consumer, EachBatchPayload } from 'kafkajs';
import { settlesWithin } from '../../../async/index.js';
import { KafkaCommits } from './commits.js';
import { type WorkerContext, PartitionWorker } from './partition-worker.js';

/** How long the fetch loop waits for a lane that is full before it goes on with the other partitions. */
const PATIENCE_MS = 250;

/**
 * The lanes of one membership, and the commits of what they handled.
 *
 * kafkajs fetches from all partitions, waits until `eachBatch` is done with all of them, and fetches again. Here it
 * only puts the records into their partition's lane; a partition whose lane is full is paused until there is room.
 */
export class PartitionWorkers {
  readonly #lanes = new Map<string, PartitionWorker>();
  readonly #commits: KafkaCommits;
  /** Whatever talks to the coordinator goes through what came with a fetch. */
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
    const lane = this.#laneOf(topic, partition);
    lane.push(messages);
    // Moves on where kafkajs fetches next; what is handled is committed apart from that.
    payload.resolveOffset(messages.at(-1)?.offset ?? payload.batch.lastOffset());
    if (!lane.isFull || (await settlesWithin(PATIENCE_MS, lane.room()))) return;
    const place = [{ topic, partitions: [partition] }];
    this.consumer.pause(place);
    // A partition that was dropped meanwhile is resumed as well: it may be dealt to us again.
    void lane.room().then(() => this.consumer.resume(place));
  }

  /** Says that the member is alive. The answer, that a rebalance is due perhaps, is nothing new. */
  beat(): void {
    this.#lastPayload?.heartbeat().catch(() => {});
  }

  /** Forgets what is not handled, and what is not committed yet: it is for the partitions' next owners. */
  drop(): void {
    for (const lane of this.#lanes.values()) lane.drop();
    this.#lanes.clear();
    this.#commits.forget();
  }

  flushed(): Promise<void> {
    return this.#commits.flushed();
  }

  #laneOf(topic: string, partition: number): PartitionWorker {
    const place = `${topic}/${partition}`;
    let lane = this.#lanes.get(place);
    if (lane === undefined) {
      lane = new PartitionWorker({ ...this.context, onHandled: this.#onHandled }, topic, partition);
      this.#lanes.set(place, lane);
    }
    return lane;
  }

  readonly #onHandled: WorkerContext['onHandled'] = (lane, offset) => {
    const payload = this.#lastPayload;
    if (payload === undefined || lane.isDropped) return;
    this.#commits.mark(lane.topic, lane.partition, offset, (offsets) =>
      payload.commitOffsetsIfNecessary(offsets),
    );
  };
}
