import type { RedisClient } from '../../../../redis/index.js';
import type { StreamPartition } from './stream-keys.js';
import { trim } from './stream-scripts.js';

/** Records between two checks. A check after every record would cost more than the surplus records do. */
const CHECK_AFTER_RECORDS = 1_000;

/** Keeps streams short. It counts records that are added and records that are acknowledged, and trims now and then. */
export class StreamTrimmer {
  readonly #counted = new Map<StreamPartition, number>();

  constructor(
    private readonly client: RedisClient,
    private readonly maxLength: number,
  ) {}

  /** Reports that this many records of the partition were added or acknowledged. */
  count(partition: StreamPartition, records: number): void {
    const counted = (this.#counted.get(partition) ?? 0) + records;
    this.#counted.set(partition, counted % CHECK_AFTER_RECORDS);
    if (counted < CHECK_AFTER_RECORDS) return;
    // If it fails, the next one trims what this one left.
    trim.run(this.client, [partition.stream], [this.maxLength]).catch(() => {});
  }
}
