import { after } from '../../../../async/index.js';
import type { ReceivedRecord } from '../../../../message/index.js';
import type { StreamEntry } from './entry.js';
import type { PartitionLease } from './partition-lease.js';

/**
 * Long enough to go with a read while there is traffic. Short compared with what a process that dies leaves
 * unacknowledged anyway.
 */
const ACKNOWLEDGE_WITHIN_MS = 10;

/**
 * The records of one partition that were handled and are not known to be acknowledged. They are acknowledged together
 * with the next read, or by themselves if there is none soon.
 */
export class PendingAcks {
  #ids: string[] = [];
  #flushing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly lease: PartitionLease,
    /** Called with the number of records that were acknowledged. */
    private readonly onAcknowledged: (count: number) => void,
  ) {}

  add(records: readonly ReceivedRecord[]): void {
    for (const { position } of records) this.#ids.push(position);
    this.#flushSoon();
  }

  /** Reads up to `count` new entries, and acknowledges what is pending in the same command. */
  async read(count: number): Promise<readonly StreamEntry[]> {
    const ids = this.#ids;
    this.#ids = [];
    try {
      const entries = await this.lease.read(count, ids);
      if (ids.length > 0) this.onAcknowledged(ids.length);
      return entries;
    } catch (error) {
      this.#ids = [...ids, ...this.#ids];
      throw error;
    }
  }

  /**
   * Resolves when nothing is pending. Sends one command at a time; records that are added meanwhile go with the next.
   */
  async flush(): Promise<void> {
    while (this.#ids.length > 0 || this.#flushing !== undefined) {
      this.#flushing ??= this.read(0).then(
        () => (this.#flushing = undefined),
        (error: unknown) => {
          this.#flushing = undefined;
          throw error;
        },
      );
      await this.#flushing;
    }
  }

  /** Resolves when nothing is pending, or when an attempt to acknowledge it failed. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.flush().catch(() => {});
  }

  #flushSoon(): void {
    this.#timer ??= after('acknowledgement of records', ACKNOWLEDGE_WITHIN_MS, () => {
      this.#timer = undefined;
      this.flush().catch(() => {
        if (!this.#closed && this.lease.isValid) this.#flushSoon();
      });
    });
  }
}
