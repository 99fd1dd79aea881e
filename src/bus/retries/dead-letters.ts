import { Semaphore } from '../../async/index.js';
import type { RetryRecord } from './retry-record.js';
import type { DeadLetterPage, DeadLetterQuery, RetryStore } from './retry-store.port.js';

/** Selects the dead letters of a consumer group, of a topic, of both, or all. */
export type DeadLetterFilter = Pick<DeadLetterQuery, 'group' | 'topic'>;

const PAGE_SIZE = 100;
/** Dead letters that are redriven at a time: each is read and written as a whole. */
const CONCURRENCY = 8;

/** Lists, redrives and drops the records that consumers gave up. */
export class DeadLetters {
  constructor(private readonly retryStore: RetryStore) {}

  /** Lists dead letters in the order in which they were published, oldest first. */
  list(query: DeadLetterQuery): Promise<DeadLetterPage> {
    return this.retryStore.list(query);
  }

  async find(id: string): Promise<RetryRecord | undefined> {
    const record = await this.retryStore.find(id);
    return record?.state === 'dead' ? record : undefined;
  }

  /** Makes its group retry it, with all attempts. Resolves to false if there is no such dead letter. */
  redrive(id: string): Promise<boolean> {
    return this.retryStore.redrive(id);
  }

  /** Redrives at most `limit` dead letters and resolves to their number. One that fails again meanwhile is not redriven twice. */
  async redriveAll(filter: DeadLetterFilter = {}, limit = Infinity): Promise<number> {
    let count = 0;
    for (let cursor: string | undefined; count < limit;) {
      const page = await this.retryStore.list({
        ...filter,
        limit: Math.min(PAGE_SIZE, limit - count),
        ...(cursor === undefined ? {} : { cursor }),
      });
      const semaphore = new Semaphore(CONCURRENCY);
      const done = await Promise.all(
        page.records.map(({ id }) => semaphore.run(() => this.retryStore.redrive(id))),
      );
      count += done.filter(Boolean).length;
      if (page.next === undefined) break;
      cursor = page.next;
    }
    return count;
  }

  /** Deletes it. Resolves to false if there is no such dead letter. */
  drop(id: string): Promise<boolean> {
    return this.retryStore.drop(id);
  }
}
