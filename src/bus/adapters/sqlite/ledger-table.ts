import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { fromBytes, type ScheduledMessage } from '../../../message/index.js';
import type { SchedulePage, ScheduleQuery } from '../../schedule/schedule.port.js';

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
];

/** A row of the ledger. Times are Unix times in ms. */
export interface LedgerEntry {
  readonly id: string;
  readonly state: 'pending' | 'claimed' | 'gone' | 'abandoned';
  /** Null, like `due_at` and `bytes`, if only a copy of the message was seen, or if the message is gone. */
  readonly channel: string | null;
  readonly due_at: number | null;
  /** The latest due time of any copy. */
  readonly last_copy_at: number;
  /** Whether the queue is known to hold a copy. */
  readonly is_held: 0 | 1;
  /** The number of calls that are sending the first copy, or died while they did. */
  readonly senders: number;
  /** The number of the last claim. */
  readonly lease: number;
  readonly leased_until: number;
  /** When the row may be removed, in any state. */
  readonly forget_at: number | null;
  readonly bytes: Uint8Array | null;
  /** The token of the last claim. */
  readonly claimant: string | null;
}

const FORGET_AT_ONCE = 10_000;

/** The prepared statements of a ledger's file. */
export class LedgerTable {
  readonly #read: StatementSync;
  readonly #write: StatementSync;
  readonly #forget: StatementSync;
  readonly #page: StatementSync;
  readonly #channelPage: StatementSync;

  constructor(database: DatabaseSync) {
    // A row that may be removed counts as removed, although the sweep may come later.
    const isRemembered = '(forget_at IS NULL OR forget_at > $now)';
    this.#read = database.prepare(`SELECT * FROM entry WHERE id = $id AND ${isRemembered}`);
    this.#write = database.prepare(`
      INSERT OR REPLACE INTO entry VALUES ($id, $state, $channel, $due_at, $last_copy_at, $is_held, $senders,
        $lease, $leased_until, $forget_at, $bytes, $claimant)`);
    this.#forget = database.prepare(`
      DELETE FROM entry WHERE id IN
        (SELECT id FROM entry WHERE forget_at <= ? ORDER BY forget_at LIMIT ${FORGET_AT_ONCE})`);
    const after = `state = 'pending' AND ${isRemembered} AND (due_at, id) > ($dueAt, $id) ORDER BY due_at, id LIMIT $limit`;
    this.#page = database.prepare(`SELECT * FROM entry WHERE ${after}`);
    this.#channelPage = database.prepare(`SELECT * FROM entry WHERE channel = $channel AND ${after}`);
  }

  read(id: string): LedgerEntry | undefined {
    return this.#read.get({ id, now: Date.now() }) as LedgerEntry | undefined;
  }

  write(entry: LedgerEntry): void {
    this.#write.run({ ...entry });
  }

  /** @returns whether there may be more to forget */
  forget(): boolean {
    return this.#forget.run(Date.now()).changes === FORGET_AT_ONCE;
  }

  page({ channel, limit, cursor }: ScheduleQuery): SchedulePage {
    const [dueAt = '-1', id = ''] = cursor?.split(/\.(.*)/s) ?? [];
    const after = { now: Date.now(), dueAt: Number(dueAt), id, limit: limit + 1 };
    const rows = channel === undefined ? this.#page.all(after) : this.#channelPage.all({ ...after, channel });
    const messages = rows.slice(0, limit).map((row) => messageOf(row as unknown as LedgerEntry)!);
    const last = messages.at(-1);
    return rows.length > limit && last ? { messages, next: `${last.dueAt}.${last.id}` } : { messages };
  }
}

export function messageOf({ id, channel, due_at: dueAt, bytes }: LedgerEntry): ScheduledMessage | undefined {
  return channel === null || dueAt === null || bytes === null
    ? undefined
    : fromBytes({ id, channel, dueAt }, bytes);
}
