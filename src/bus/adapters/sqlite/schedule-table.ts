import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DueItem } from '../../schedule/due-loop.js';
import { fromBytes, type ScheduledMessage } from '../../../message/index.js';
import type { OwnerUsage, ScheduleCost } from '../../schedule/schedule-quota.js';
import { summaryOf, toPage } from '../../schedule/schedule-summary.js';
import type { ScheduledSummary, SchedulePage, ScheduleQuery } from '../../schedule/schedule.port.js';

/**
 * `ready_at` is the due time at first, and the end of the backoff after a failed delivery. A message is pending as long as it has
 * no failed `attempts`, so one index serves both the delivery and the list. The indexes have every column that a list or a count
 * reads: a row has the bytes of its message, which would be read as well. `created_at` is null in rows of an earlier version.
 */
export const scheduleMigrations = [
  `
  CREATE TABLE message (
    id TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    ready_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE INDEX message_by_time ON message (ready_at, id);
  CREATE INDEX message_by_channel ON message (channel, ready_at, id);
  CREATE TABLE finished (id TEXT PRIMARY KEY, forget_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX finished_by_time ON finished (forget_at);
  `,
  `
  ALTER TABLE message ADD COLUMN created_at INTEGER;
  ALTER TABLE message ADD COLUMN expires_at INTEGER;
  ALTER TABLE message ADD COLUMN owner TEXT;
  ALTER TABLE message ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
  DROP INDEX message_by_time;
  DROP INDEX message_by_channel;
  CREATE INDEX message_by_time ON message (ready_at, id, attempts, channel, due_at, created_at, expires_at);
  CREATE INDEX message_by_channel ON message (channel, ready_at, id, attempts, due_at, created_at, expires_at);
  CREATE INDEX message_by_owner ON message (owner, size);
  `,
];

interface Row {
  readonly id: string;
  readonly channel: string;
  readonly due_at: number;
  readonly attempts: number;
  readonly bytes: Uint8Array;
}

interface SummaryRow {
  readonly id: string;
  readonly channel: string;
  readonly due_at: number;
  readonly created_at: number | null;
  readonly expires_at: number | null;
}

const FORGET_AT_ONCE = 1_000;

/** The prepared statements of a schedule's file. */
export class ScheduleTable {
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #remember: StatementSync;
  readonly #forget: StatementSync;
  readonly #move: StatementSync;
  readonly #postpone: StatementSync;
  readonly #isUntried: StatementSync;
  readonly #isKnown: StatementSync;
  readonly #usage: StatementSync;
  readonly #read: StatementSync;
  readonly #readyIds: StatementSync;
  readonly #nextReady: StatementSync;
  readonly #page: StatementSync;
  readonly #channelPage: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(`
      INSERT INTO message (id, channel, due_at, ready_at, bytes, created_at, expires_at, owner, size)
      SELECT $id, $channel, $dueAt, $dueAt, $bytes, $createdAt, $expiresAt, $owner, $size
      WHERE NOT EXISTS (SELECT 1 FROM finished WHERE id = $id AND forget_at > $now)
      ON CONFLICT DO NOTHING`);
    this.#delete = database.prepare('DELETE FROM message WHERE id = ? RETURNING owner, size');
    this.#remember = database.prepare('INSERT OR REPLACE INTO finished VALUES (?, ?)');
    this.#forget = database.prepare(`
      DELETE FROM finished WHERE id IN
        (SELECT id FROM finished WHERE forget_at <= ? ORDER BY forget_at LIMIT ${FORGET_AT_ONCE})`);
    this.#move = database.prepare('UPDATE message SET due_at = $dueAt, ready_at = $dueAt WHERE id = $id');
    this.#postpone = database.prepare(
      'UPDATE message SET attempts = attempts + 1, ready_at = $readyAt WHERE id = $id',
    );
    this.#isUntried = database.prepare('SELECT 1 FROM message WHERE id = ? AND attempts = 0');
    this.#isKnown = database.prepare(`
      SELECT 1 FROM message WHERE id = $id UNION ALL SELECT 1 FROM finished WHERE id = $id AND forget_at > $now`);
    this.#usage = database.prepare(
      'SELECT owner, count(*) AS messages, sum(size) AS bytes FROM message GROUP BY owner',
    );
    this.#read = database.prepare('SELECT * FROM message WHERE id = ?');
    this.#readyIds = database.prepare(
      'SELECT id FROM message WHERE ready_at <= ? ORDER BY ready_at, id LIMIT ?',
    );
    this.#nextReady = database.prepare(
      'SELECT ready_at FROM message WHERE ready_at > ? ORDER BY ready_at LIMIT 1',
    );
    const after = '(ready_at, id) > ($dueAt, $id) AND attempts = 0 ORDER BY ready_at, id';
    const summary = 'SELECT id, channel, due_at, created_at, expires_at FROM message';
    this.#page = database.prepare(`${summary} WHERE ${after}`);
    this.#channelPage = database.prepare(`${summary} WHERE channel = $channel AND ${after}`);
  }

  /** Returns false and does nothing if the id is stored, or was finished recently. */
  insert(message: ScheduledMessage, bytes: Buffer, owner: string | undefined, now: number): boolean {
    const { id, channel, createdAt, dueAt, expiresAt } = message;
    const row = {
      id,
      channel,
      createdAt: Math.floor(createdAt),
      dueAt: Math.ceil(dueAt),
      expiresAt: expiresAt === undefined ? null : Math.floor(expiresAt),
      bytes,
      size: bytes.length,
      owner: owner ?? null,
      now,
    };
    return this.#insert.run(row).changes === 1;
  }

  /** Returns whether {@link insert} would do nothing. */
  isKnown(id: string, now: number): boolean {
    return this.#isKnown.get({ id, now }) !== undefined;
  }

  /** Reads every row of an index, so it is called once. */
  usage(): OwnerUsage[] {
    return this.#usage.all() as unknown as OwnerUsage[];
  }

  /** Removes a message and remembers its id. Returns what the message counted for, or undefined if there was none. */
  finish(id: string, forgetAt: number): ScheduleCost | undefined {
    this.#remember.run(id, Math.ceil(forgetAt));
    return this.#delete.get(id) as unknown as ScheduleCost | undefined;
  }

  /** Removes some of the expired ids, few enough not to block the process. Returns whether there may be more. */
  forget(now: number): boolean {
    return this.#forget.run(now).changes === FORGET_AT_ONCE;
  }

  move(id: string, dueAt: number): boolean {
    return this.#move.run({ id, dueAt: Math.ceil(dueAt) }).changes === 1;
  }

  postpone(id: string, readyAt: number): void {
    this.#postpone.run({ id, readyAt });
  }

  isUntried(id: string): boolean {
    return this.#isUntried.get(id) !== undefined;
  }

  find(id: string): ScheduledMessage | undefined {
    return this.read(id)?.message;
  }

  read(id: string): DueItem | undefined {
    const row = this.#read.get(id) as Row | undefined;
    return row && { message: toMessage(row), attempt: row.attempts + 1 };
  }

  readyIds(now: number, limit: number): string[] {
    return this.#readyIds.all(now, limit).map((row) => String(row['id']));
  }

  nextReadyAfter(now: number): number | undefined {
    const row = this.#nextReady.get(now);
    return row && Number(row['ready_at']);
  }

  page({ channel, limit, cursor }: ScheduleQuery, isPending: (id: string) => boolean): SchedulePage {
    const after = cursor === undefined ? { dueAt: -1, id: '' } : parseCursor(cursor);
    const rows =
      channel === undefined ? this.#page.iterate(after) : this.#channelPage.iterate({ ...after, channel });
    return toPage(this.#summaries(rows as Iterable<unknown> as Iterable<SummaryRow>, isPending), limit);
  }

  *#summaries(
    rows: Iterable<SummaryRow>,
    isPending: (id: string) => boolean,
  ): Generator<ScheduledSummary, void> {
    for (const { id, channel, due_at: dueAt, created_at: createdAt, expires_at: expiresAt } of rows) {
      if (!isPending(id)) continue;
      if (createdAt !== null)
        yield { id, channel, createdAt, dueAt, ...(expiresAt === null ? {} : { expiresAt }) };
      else {
        const message = this.find(id);
        if (message !== undefined) yield summaryOf(message);
      }
    }
  }
}

function parseCursor(cursor: string): { dueAt: number; id: string } {
  const dot = cursor.indexOf('.');
  return { dueAt: Number(cursor.slice(0, dot)), id: cursor.slice(dot + 1) };
}

function toMessage({ id, channel, due_at: dueAt, bytes }: Row): ScheduledMessage {
  return fromBytes({ id, channel, dueAt }, bytes);
}
