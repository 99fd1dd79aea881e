import type { RedisClient } from '../../../../redis/index.js';
import type { StreamPartition } from './stream-keys.js';
import { trim } from './stream-scripts.js';

/** Bounds of the number of records between two checks. A check after every record would cost more than the surplus does. */
const MIN_CHECK_AFTER = 10;
const MAX_CHECK_AFTER = 1_000;
/** The surplus that a process may leave, as a share of `maxLength`. */
const SURPLUS_SHARE = 0.1;

/** Keeps streams short. It counts records that are added and records that are acknowledged, and trims now and then. */
export class StreamTrimmer {
  readonly #counted = new Map<StreamPartition, number>();
  readonly #checkAfter: number;

  constructor(
    private readonly client: RedisClient,
    private readonly maxLength: number,
  ) {
    const share = Math.ceil(maxLength * SURPLUS_SHARE);
    this.#checkAfter = Math.min(MAX_CHECK_AFTER, Math.max(MIN_CHECK_AFTER, share));
  }

  /** Reports that this many records of the partition were added or acknowledged. */
  count(partition: StreamPartition, records: number): void {
    const counted = (this.#counted.get(partition) ?? 0) + records;
    this.#counted.set(partition, counted % this.#checkAfter);
    if (counted < this.#checkAfter) return;
    // If it fails, the next one trims what this one left.
    trim.run(this.client, [partition.stream], [this.maxLength]).catch(() => {});
  }
}
