import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DeadLetterTable } from './dead-letter-table.js';
import { type RetryRecord, retryRecordFromBytes, retryRecordToBytes } from '../../retries/retry-record.js';
import { type Migration } from '../../../sqlite/index.js';

/**
 * `seq` is the order in which records were added. `line` is the ordering key. `ready_at` is null for a dead record, and for a
 * record that waits behind another one with the same ordering key. The names of the table and its columns were chosen before
 * the names in the code; they stay, because they are in files.
 */
export const retryMigrations: readonly Migration[] = [
  `
  CREATE TABLE parked (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    consumer_group TEXT NOT NULL,
    topic TEXT NOT NULL,
    line TEXT,
    dead INTEGER NOT NULL,
    ready_at INTEGER,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE INDEX parked_ready ON parked (consumer_group, ready_at, seq) WHERE ready_at IS NOT NULL;
  CREATE INDEX parked_waiting ON parked (consumer_group, line, seq) WHERE dead = 0;
  CREATE INDEX parked_dead ON parked (id) WHERE dead = 1;
  CREATE INDEX parked_dead_of_group ON parked (consumer_group, id) WHERE dead = 1;
  CREATE INDEX parked_dead_on_topic ON parked (topic, id) WHERE dead = 1;
  `,
  `
  CREATE TABLE dead_letter (
    id TEXT PRIMARY KEY,
    consumer_group TEXT NOT NULL,
    topic TEXT NOT NULL,
    died_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    summary TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX dead_letter_of_group ON dead_letter (consumer_group, id);
  CREATE INDEX dead_letter_on_topic ON dead_letter (topic, id);
  CREATE INDEX dead_letter_by_time ON dead_letter (died_at, id, size);
  DROP INDEX parked_dead;
  DROP INDEX parked_dead_of_group;
  DROP INDEX parked_dead_on_topic;
  `,
  (database) => {
    const table = new DeadLetterTable(database);
    for (const { bytes } of database.prepare('SELECT bytes FROM parked WHERE dead = 1').iterate())
      table.insert(retryRecordFromBytes(bytes as Uint8Array), (bytes as Uint8Array).length, Date.now());
  },
];

/** The prepared statements of a retry store's file. */
export class RetryTable {
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #update: StatementSync;
  readonly #postpone: StatementSync;
  readonly #advance: StatementSync;
  readonly #waiting: StatementSync;
  readonly #isBlocked: StatementSync;
  readonly #read: StatementSync;
  readonly #ready: StatementSync;
  readonly #nextReady: StatementSync;

  constructor(
    database: DatabaseSync,
    private readonly deadLetters: DeadLetterTable,
  ) {
    this.#insert = database.prepare(`
      INSERT INTO parked (id, consumer_group, topic, line, dead, ready_at, bytes)
      SELECT $id, $group, $topic, $line, 0, iif(
        EXISTS (SELECT 1 FROM parked WHERE consumer_group = $group AND line = $line AND dead = 0), NULL, $readyAt
      ), $bytes
      WHERE true ON CONFLICT DO NOTHING`);
    this.#remove = database.prepare('DELETE FROM parked WHERE id = ?');
    this.#update = database.prepare(
      'UPDATE parked SET dead = $dead, ready_at = $readyAt, bytes = $bytes WHERE id = $id',
    );
    this.#postpone = database.prepare('UPDATE parked SET ready_at = $readyAt WHERE id = $id');
    this.#advance = database.prepare(`
      UPDATE parked SET ready_at = $now WHERE ready_at IS NULL AND seq = (
        SELECT min(seq) FROM parked WHERE consumer_group = $group AND line = $line AND dead = 0)`);
    this.#waiting = database.prepare(
      'SELECT count(*) AS count FROM parked WHERE consumer_group = ? AND dead = 0',
    );
    this.#isBlocked = database.prepare(
      'SELECT 1 FROM parked WHERE consumer_group = ? AND line = ? AND dead = 0 LIMIT 1',
    );
    this.#read = database.prepare('SELECT bytes FROM parked WHERE id = ?');
    this.#ready = database.prepare(`
      SELECT id FROM parked WHERE consumer_group = ? AND ready_at <= ? ORDER BY ready_at, seq LIMIT ?`);
    this.#nextReady = database.prepare(`
      SELECT ready_at FROM parked WHERE consumer_group = ? AND ready_at > ? ORDER BY ready_at LIMIT 1`);
  }

  /** Adds a record behind those with the same ordering key. Does nothing if its id exists. */
  insert(record: RetryRecord): void {
    const { id, group, topic, orderingKey = null, dueAt } = record;
    this.#insert.run({
      id,
      group,
      topic,
      line: orderingKey,
      readyAt: Math.ceil(dueAt),
      bytes: retryRecordToBytes(record),
    });
  }

  /** Stores the changed record. If it is dead, the next record with the same ordering key becomes ready. */
  update(record: RetryRecord, now: number): void {
    const dead = record.state === 'dead';
    const readyAt = dead ? null : Math.ceil(record.dueAt);
    const bytes = retryRecordToBytes(record);
    this.#update.run({ id: record.id, dead: Number(dead), readyAt, bytes });
    if (!dead) return;
    this.deadLetters.insert(record, bytes.length, now);
    this.#readyNextOf(record, now);
  }

  remove(record: RetryRecord, now: number): void {
    this.#remove.run(record.id);
    if (record.state === 'dead') this.deadLetters.remove(record.id);
    this.#readyNextOf(record, now);
  }

  /** Removes dead letters. */
  removeDead(ids: readonly string[]): void {
    for (const id of ids) {
      this.#remove.run(id);
      this.deadLetters.remove(id);
    }
  }

  postpone(id: string, readyAt: number): void {
    this.#postpone.run({ id, readyAt });
  }

  waiting(group: string): number {
    return Number(this.#waiting.get(group)?.['count']);
  }

  isBlocked(group: string, orderingKey: string): boolean {
    return this.#isBlocked.get(group, orderingKey) !== undefined;
  }

  find(id: string): RetryRecord | undefined {
    const row = this.#read.get(id);
    return row && retryRecordFromBytes(row['bytes'] as Uint8Array);
  }

  readyIds(group: string, now: number, limit: number): string[] {
    return this.#ready.all(group, now, limit).map((row) => String(row['id']));
  }

  nextReadyAfter(group: string, now: number): number | undefined {
    const row = this.#nextReady.get(group, now);
    return row && Number(row['ready_at']);
  }

  #readyNextOf({ group, orderingKey }: RetryRecord, now: number): void {
    if (orderingKey !== undefined) this.#advance.run({ group, line: orderingKey, now });
  }
}
