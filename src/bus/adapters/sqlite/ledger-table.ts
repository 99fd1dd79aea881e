import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { OwnerUsage, ScheduleCost } from '../../schedule/schedule-quota.js';
import { type LedgerEntry, messageOf } from './ledger-entry.js';
import { summaryOf, toPage } from '../../schedule/schedule-summary.js';
import type { ScheduledSummary, SchedulePage, ScheduleQuery } from '../../schedule/schedule.port.js';

export const ledgerMigrations = [
  `
  CREATE TABLE entry (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('pending', 'claimed', 'gone', 'abandoned')),
    channel TEXT,
    due_at INTEGER,
    last_copy_at INTEGER NOT NULL,
    is_held INTEGER NOT NULL DEFAULT 0,
    senders INTEGER NOT NULL DEFAULT 0,
    lease INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER NOT NULL DEFAULT 0,
    forget_at INTEGER,
    bytes BLOB
  ) STRICT;
  CREATE INDEX pending_by_time ON entry (due_at, id) WHERE state = 'pending';
  CREATE INDEX pending_by_channel ON entry (channel, due_at, id) WHERE state = 'pending';
  CREATE INDEX forgettable ON entry (forget_at) WHERE forget_at IS NOT NULL;
  `,
  'ALTER TABLE entry ADD COLUMN claimant TEXT',
  // The indexes have every column that a list or a count reads: a row has the bytes of its message, which would be read as well.
  `
  ALTER TABLE entry ADD COLUMN created_at INTEGER;
  ALTER TABLE entry ADD COLUMN expires_at INTEGER;
  ALTER TABLE entry ADD COLUMN owner TEXT;
  ALTER TABLE entry ADD COLUMN size INTEGER;
  DROP INDEX pending_by_time;
  DROP INDEX pending_by_channel;
  CREATE INDEX pending_by_time ON entry (due_at, id, state, channel, created_at, expires_at, forget_at)
    WHERE state = 'pending';
  CREATE INDEX pending_by_channel ON entry (channel, due_at, id, state, created_at, expires_at, forget_at)
    WHERE state = 'pending';
  CREATE INDEX entry_by_owner ON entry (owner, size) WHERE size IS NOT NULL;
  `,
];

type SummaryRow = Pick<LedgerEntry, 'id' | 'channel' | 'due_at' | 'created_at' | 'expires_at'>;

const FORGET_AT_ONCE = 10_000;

/** The prepared statements of a ledger's file. */
export class LedgerTable {
  readonly #read: StatementSync;
  readonly #write: StatementSync;
  readonly #forget: StatementSync;
  readonly #cost: StatementSync;
  readonly #usage: StatementSync;
  readonly #page: StatementSync;
  readonly #channelPage: StatementSync;

  constructor(database: DatabaseSync) {
    // A row that may be removed counts as removed, although the sweep may come later.
    const isRemembered = '(forget_at IS NULL OR forget_at > $now)';
    this.#read = database.prepare(`SELECT * FROM entry WHERE id = $id AND ${isRemembered}`);
    this.#write = database.prepare(`
      INSERT OR REPLACE INTO entry VALUES ($id, $state, $channel, $due_at, $last_copy_at, $is_held, $senders,
        $lease, $leased_until, $forget_at, $bytes, $claimant, $created_at, $expires_at, $owner, $size)`);
    this.#cost = database.prepare('SELECT owner, size FROM entry WHERE id = ? AND size IS NOT NULL');
    this.#usage = database.prepare(
      'SELECT owner, count(*) AS messages, sum(size) AS bytes FROM entry WHERE size IS NOT NULL GROUP BY owner',
    );
    this.#forget = database.prepare(`
      DELETE FROM entry WHERE id IN
        (SELECT id FROM entry WHERE forget_at <= ? ORDER BY forget_at LIMIT ${FORGET_AT_ONCE})
        RETURNING owner, size`);
    const after = `state = 'pending' AND ${isRemembered} AND (due_at, id) > ($dueAt, $id) ORDER BY due_at, id`;
    const summary = 'SELECT id, channel, due_at, created_at, expires_at FROM entry';
    this.#page = database.prepare(`${summary} WHERE ${after}`);
    this.#channelPage = database.prepare(`${summary} WHERE channel = $channel AND ${after}`);
  }

  read(id: string): LedgerEntry | undefined {
    return this.#read.get({ id, now: Date.now() }) as LedgerEntry | undefined;
  }

  write(entry: LedgerEntry): void {
    this.#write.run({ ...entry });
  }

  /** Returns what the stored entry counts for, even if it may be removed, or undefined if it has no message. */
  costOf(id: string): ScheduleCost | undefined {
    return this.#cost.get(id) as unknown as ScheduleCost | undefined;
  }

  /** Reads every row of an index. */
  usage(): OwnerUsage[] {
    return this.#usage.all() as unknown as OwnerUsage[];
  }

  /** Returns what the removed messages counted for, and whether there may be more to forget. */
  forget(): { readonly costs: readonly ScheduleCost[]; readonly more: boolean } {
    const rows = this.#forget.all(Date.now()) as unknown as { owner: string | null; size: number | null }[];
    const costs = rows.flatMap(({ owner, size }) => (size === null ? [] : { owner, size }));
    return { costs, more: rows.length === FORGET_AT_ONCE };
  }

  page({ channel, limit, cursor }: ScheduleQuery): SchedulePage {
    const [dueAt = '-1', id = ''] = cursor?.split(/\.(.*)/s) ?? [];
    const after = { now: Date.now(), dueAt: Number(dueAt), id };
    const rows =
      channel === undefined ? this.#page.iterate(after) : this.#channelPage.iterate({ ...after, channel });
    return toPage(this.#summaries(rows as Iterable<unknown> as Iterable<SummaryRow>), limit);
  }

  *#summaries(rows: Iterable<SummaryRow>): Generator<ScheduledSummary, void> {
    for (const { id, channel, due_at: dueAt, created_at: createdAt, expires_at: expiresAt } of rows) {
      if (channel !== null && dueAt !== null && createdAt !== null)
        yield { id, channel, createdAt, dueAt, ...(expiresAt === null ? {} : { expiresAt }) };
      else {
        const entry = this.read(id);
        const message = entry && messageOf(entry);
        if (message !== undefined) yield summaryOf(message);
      }
    }
  }
}
