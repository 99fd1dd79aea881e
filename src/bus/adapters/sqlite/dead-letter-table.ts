import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  DEAD_LETTER_PAGE_BYTES,
  type DeadLetterSummary,
  parseSummary,
  serializeSummary,
} from '../../retries/dead-letter-summary.js';
import type { RetryRecord } from '../../retries/retry-record.js';
import type { DeadLetterPage, DeadLetterQuery } from '../../retries/retry-store.port.js';
import type { DeadLetterLimits } from '../../retries/retry-store.options.js';

const DROP_AT_ONCE = 100;

/** What lists and limits need to know of dead letters, apart from their bodies, which are in the table of all records. */
export class DeadLetterTable {
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #usage: StatementSync;
  readonly #oldest: StatementSync;
  /** Counting reads every row of an index, so it is done once. */
  #counted: { count: number; bytes: number } | undefined;

  constructor(private readonly database: DatabaseSync) {
    this.#insert = database.prepare('INSERT INTO dead_letter VALUES (?, ?, ?, ?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM dead_letter WHERE id = ? RETURNING size');
    this.#usage = database.prepare('SELECT count(*) AS count, total(size) AS bytes FROM dead_letter');
    this.#oldest = database.prepare(
      `SELECT id, died_at, size FROM dead_letter ORDER BY died_at, id LIMIT ${DROP_AT_ONCE}`,
    );
  }

  insert(record: RetryRecord, size: number, now: number): void {
    const { id, group, topic } = record;
    this.remove(id);
    this.#insert.run(id, group, topic, Math.floor(now), size, serializeSummary(record));
    this.#count(1, size);
  }

  remove(id: string): void {
    const row = this.#remove.get(id);
    if (row !== undefined) this.#count(-1, -Number(row['size']));
  }

  usage(): { readonly count: number; readonly bytes: number } {
    return (this.#counted ??= this.#usage.get() as unknown as { count: number; bytes: number });
  }

  /** Called when a transaction was rolled back. */
  countAgain(): void {
    this.#counted = undefined;
  }

  /** Returns the dead letters that exceed the limits, the oldest first, but not more than a few at once. */
  excess(limits: DeadLetterLimits, now: number): string[] {
    const { maxDeadLetters, maxDeadLetterBytes, deadLetterTtlMs } = limits;
    let { count, bytes } = this.usage();
    const ids: string[] = [];
    for (const row of this.#oldest.iterate()) {
      const isOld = Number(row['died_at']) <= now - deadLetterTtlMs;
      if (!isOld && count <= maxDeadLetters && bytes <= maxDeadLetterBytes) break;
      ids.push(String(row['id']));
      count--;
      bytes -= Number(row['size']);
    }
    return ids;
  }

  page({ group, topic, limit, cursor = '' }: DeadLetterQuery): DeadLetterPage {
    const wanted = { ...(group === undefined ? {} : { group }), ...(topic === undefined ? {} : { topic }) };
    const conditions = [
      'id > $cursor',
      ...(group === undefined ? [] : ['consumer_group = $group']),
      ...(topic === undefined ? [] : ['topic = $topic']),
    ];
    const rows = this.database
      .prepare(`SELECT summary FROM dead_letter WHERE ${conditions.join(' AND ')} ORDER BY id`)
      .iterate({ ...wanted, cursor });
    const records: DeadLetterSummary[] = [];
    let bytes = 0;
    for (const row of rows) {
      const summary = String(row['summary']);
      const last = records.at(-1);
      bytes += summary.length;
      if (last !== undefined && (records.length === limit || bytes > DEAD_LETTER_PAGE_BYTES))
        return { records, next: last.id };
      records.push(parseSummary(summary));
    }
    return { records };
  }

  #count(count: number, bytes: number): void {
    if (this.#counted === undefined) return;
    this.#counted.count += count;
    this.#counted.bytes += bytes;
  }
}
