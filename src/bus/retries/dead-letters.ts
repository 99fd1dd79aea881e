import type { RetryRecord } from './retry-record.js';
import type { DeadLetterPage, DeadLetterQuery, RetryStore } from './retry-store.port.js';

/** Which dead letters: of a consumer group, of a topic, of both, or all. */
export type DeadLetterFilter = Pick<DeadLetterQuery, 'group' | 'topic'>;

const PAGE = 100;

/** What consumers gave up: to be looked at, tried once more, or thrown away. */
export class DeadLetters {
  constructor(private readonly retryStore: RetryStore) {}

  /** By the time of their publishing, the oldest first. */
  list(query: DeadLetterQuery): Promise<DeadLetterPage> {
    return this.retryStore.list(query);
  }

  async find(id: string): Promise<RetryRecord | undefined> {
    const record = await this.retryStore.find(id);
    return record?.state === 'dead' ? record : undefined;
  }

  /** Has its group try it again, with all of its attempts. False if there is no such dead letter. */
  redrive(id: string): Promise<boolean> {
    return this.retryStore.redrive(id);
  }

  /** Redrives at most `limit` of those that are there now, and returns how many. What fails again meanwhile is not redriven twice. */
  async redriveAll(filter: DeadLetterFilter = {}, limit = Infinity): Promise<number> {
    let count = 0;
    for (let cursor: string | undefined; count < limit;) {
      const page = await this.retryStore.list({
        ...filter,
        limit: Math.min(PAGE, limit - count),
        ...(cursor === undefined ? {} : { cursor }),
      });
      const done = await Promise.all(page.records.map(({ id }) => this.retryStore.redrive(id)));
      count += done.filter(Boolean).length;
      if (page.next === undefined) break;
      cursor = page.next;
    }
    return count;
  }

  /** Forgets it for good. False if there is no such dead letter. */
  drop(id: string): Promise<boolean> {
    return this.retryStore.drop(id);
  }
}
