import type { RedisClient } from '../../../../redis/index.js';
import type { StreamPartition } from './partition.js';
import { trim } from './stream-scripts.js';

/** Looking after every record would cost more than the records that are too many. */
const LOOK_AFTER_RECORDS = 1_000;

/** Keeps streams short, from both ends: whoever adds records looks now and then, and whoever acknowledges some. */
export class StreamTrimmer {
  readonly #passed = new Map<StreamPartition, number>();

  constructor(
    private readonly client: RedisClient,
    private readonly maxLength: number,
  ) {}

  /** So many records were added to the partition, or acknowledged. */
  passed(partition: StreamPartition, count: number): void {
    const passed = (this.#passed.get(partition) ?? 0) + count;
    this.#passed.set(partition, passed % LOOK_AFTER_RECORDS);
    // One that fails is made up for by the next.
    if (passed >= LOOK_AFTER_RECORDS)
      trim.run(this.client, [partition.stream], [this.maxLength]).catch(() => {});
  }
}
