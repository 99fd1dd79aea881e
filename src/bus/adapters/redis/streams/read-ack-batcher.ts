import type { RedisClient } from '../../../../redis/index.js';
import { BrokerUnavailableError } from '../../../bus.errors.js';
import type { StreamEntry } from './entry.js';
import { readOn } from './stream-scripts.js';

/** What an owner asks of its partition. */
export interface Exchange {
  /** Key of the lease. */
  readonly lease: string;
  readonly stream: string;
  readonly token: string;
  readonly group: string;
  readonly member: string;
  /** Most records to read. */
  readonly count: number;
  /** Records to acknowledge before. */
  readonly ids: readonly string[];
}

interface Waiting extends Exchange {
  readonly resolve: (entries: readonly StreamEntry[] | null) => void;
  readonly reject: (error: unknown) => void;
}

/** Redis does nothing else while it answers: this many records take it about a millisecond. */
const MAX_RECORDS_TOGETHER = 1_000;

/** Sends what the readers of many partitions ask for in one event-loop turn in one command, where they share a server. */
export class Exchanges {
  #waiting: Waiting[] = [];

  constructor(
    private readonly client: RedisClient,
    /** Not in a Cluster. */
    private readonly areTogether: boolean,
  ) {}

  /**
   * Answers nothing to a former owner.
   * @throws {BrokerUnavailableError}
   */
  run(exchange: Exchange): Promise<readonly StreamEntry[] | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...exchange, resolve, reject });
      if (this.#waiting.length === 1) process.nextTick(() => this.#sendAll());
    });
  }

  #sendAll(): void {
    for (let count = 0, records = 0; this.#waiting.length > 0; count = 0, records = 0) {
      for (const exchange of this.#waiting) {
        records += exchange.count + exchange.ids.length;
        if (count > 0 && (records > MAX_RECORDS_TOGETHER || !this.areTogether)) break;
        count++;
      }
      void this.#send(this.#waiting.splice(0, count));
    }
  }

  async #send(exchanges: readonly Waiting[]): Promise<void> {
    const keys = exchanges.flatMap(({ lease, stream }) => [lease, stream]);
    const args = exchanges.flatMap(({ token, group, member, count, ids }) =>
      [token, group, member, count, ids.length].concat(ids),
    );
    try {
      const answers = (await readOn.run(this.client, keys, args)) as (StreamEntry[] | Buffer | null)[];
      for (const [index, { resolve, reject }] of exchanges.entries()) {
        const answer = answers[index] ?? null;
        if (Buffer.isBuffer(answer)) reject(new BrokerUnavailableError('redis', String(answer)));
        else resolve(answer);
      }
    } catch (error) {
      for (const { reject } of exchanges) reject(error);
    }
  }
}
