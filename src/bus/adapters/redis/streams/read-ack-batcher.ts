import { inBackground } from '../../../../async/index.js';
import type { RedisClient } from '../../../../redis/index.js';
import { CallRefusedError } from '../../../bus.errors.js';
import type { StreamEntry } from './entry.js';
import { acknowledgeAndRead } from './stream-scripts.js';

/** Acknowledges records of one partition and reads the next ones. */
export interface ReadAckRequest {
  /** Key of the lease. */
  readonly lease: string;
  readonly stream: string;
  /** Fencing token of the owner. */
  readonly token: string;
  readonly group: string;
  readonly member: string;
  /** Largest number of records to read. */
  readonly count: number;
  /** Records to acknowledge before reading. */
  readonly ids: readonly string[];
}

interface PendingRequest extends ReadAckRequest {
  readonly resolve: (entries: readonly StreamEntry[] | null) => void;
  readonly reject: (error: unknown) => void;
}

/** Redis executes nothing else while it runs a script: this many records take it about a millisecond. */
const MAX_BATCH_RECORDS = 1_000;

/** Combines the requests that many partitions make in one event-loop turn into one command, if they share a server. */
export class ReadAckBatcher {
  #pending: PendingRequest[] = [];

  constructor(
    private readonly client: RedisClient,
    /** False in a Cluster, where partitions are on different nodes. */
    private readonly sharesServer: boolean,
  ) {}

  /**
   * Resolves to the entries that were read, or to null if the token is no longer that of the partition's owner.
   * @throws {BrokerUnavailableError}
   */
  run(request: ReadAckRequest): Promise<readonly StreamEntry[] | null> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ ...request, resolve, reject });
      if (this.#pending.length === 1) process.nextTick(() => this.#sendAll());
    });
  }

  #sendAll(): void {
    for (let count = 0, records = 0; this.#pending.length > 0; count = 0, records = 0) {
      for (const request of this.#pending) {
        records += request.count + request.ids.length;
        if (count > 0 && (records > MAX_BATCH_RECORDS || !this.sharesServer)) break;
        count++;
      }
      const batch = this.#pending.splice(0, count);
      inBackground('read and acknowledgement of records', () => this.#send(batch));
    }
  }

  async #send(batch: readonly PendingRequest[]): Promise<void> {
    const keys = batch.flatMap(({ lease, stream }) => [lease, stream]);
    const args = batch.flatMap(({ token, group, member, count, ids }) =>
      [token, group, member, count, ids.length].concat(ids),
    );
    try {
      const replies = (await acknowledgeAndRead.run(this.client, keys, args)) as (
        StreamEntry[] | Buffer | null
      )[];
      for (const [index, { resolve, reject }] of batch.entries()) {
        const reply = replies[index] ?? null;
        if (Buffer.isBuffer(reply)) reject(new CallRefusedError('redis', String(reply)));
        else resolve(reply);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
