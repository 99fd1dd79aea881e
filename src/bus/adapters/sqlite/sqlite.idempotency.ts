import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { every } from '../../../async/index.js';
import type { BrokerStatus } from '../../../metrics/index.js';
import { Idempotency } from '../../idempotency.port.js';
import { GroupCommit, openDatabase, type SqliteFile } from '../../../sqlite/index.js';
import { BusClosedError } from '../../bus.errors.js';

export type SqliteIdempotencyOptions = SqliteFile & {
  /** How often expired plans are removed, in ms. */
  readonly sweepEveryMs?: number;
  /** Largest number of plans. Beyond it, those that expire first are removed by the next sweep. Default: unlimited. */
  readonly maxKeys?: number;
  readonly now?: () => number;
};

const migrations = [
  `
  CREATE TABLE plan (key TEXT PRIMARY KEY, plan TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT;
  CREATE INDEX plan_by_time ON plan (expires_at);
  `,
];

const SWEEP_AT_ONCE = 1_000;

/** Idempotency plans in a SQLite file, or in memory with the path `:memory:`. */
export class SqliteIdempotency implements Idempotency {
  readonly #commits: GroupCommit;
  readonly #find: StatementSync;
  readonly #store: StatementSync;
  readonly #remove: StatementSync;
  readonly #expire: StatementSync;
  readonly #count: StatementSync;
  readonly #dropOldest: StatementSync;
  readonly #maxKeys: number;
  readonly #sweeper: NodeJS.Timeout;
  readonly #now: () => number;

  private constructor(database: DatabaseSync, options: SqliteIdempotencyOptions, status: BrokerStatus) {
    this.#now = options.now ?? Date.now;
    this.#commits = new GroupCommit(database, status, () => new BusClosedError(), options.path);
    this.#find = database.prepare('SELECT plan FROM plan WHERE key = ? AND expires_at > ?');
    this.#store = database.prepare('INSERT OR REPLACE INTO plan (key, plan, expires_at) VALUES (?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM plan WHERE key = ?');
    this.#expire = database.prepare(`
      DELETE FROM plan WHERE key IN
        (SELECT key FROM plan WHERE expires_at <= ? ORDER BY expires_at LIMIT ${SWEEP_AT_ONCE})`);
    this.#maxKeys = options.maxKeys ?? Infinity;
    this.#count = database.prepare('SELECT count(*) AS count FROM plan');
    this.#dropOldest = database.prepare(
      'DELETE FROM plan WHERE key IN (SELECT key FROM plan ORDER BY expires_at LIMIT ?)',
    );
    this.#sweeper = every('removal of expired plans', options.sweepEveryMs ?? 10_000, () => this.#sweep());
    status.up();
  }

  /** @throws {AdapterUnusableError} the file cannot be opened */
  static async open(options: SqliteIdempotencyOptions, status: BrokerStatus): Promise<SqliteIdempotency> {
    return new SqliteIdempotency(openDatabase(options, migrations), options, status);
  }

  reserve(key: string, plan: string, ttlMs: number): Promise<string> {
    return this.#commits.write(() => this.#inForce(key) ?? this.#keep(key, plan, ttlMs));
  }

  replace(key: string, plan: string, next: string, ttlMs: number): Promise<string> {
    return this.#commits.write(() => {
      const inForce = this.#inForce(key) ?? plan;
      return inForce === plan ? this.#keep(key, next, ttlMs) : inForce;
    });
  }

  async release(key: string): Promise<void> {
    await this.#commits.write(() => this.#remove.run(key));
  }

  close(): Promise<void> {
    clearInterval(this.#sweeper);
    return this.#commits.close();
  }

  #inForce(key: string): string | undefined {
    const row = this.#find.get(key, this.#now());
    return row && String(row['plan']);
  }

  #keep(key: string, plan: string, ttlMs: number): string {
    this.#store.run(key, plan, Math.ceil(this.#now() + ttlMs));
    return plan;
  }

  async #sweep(): Promise<void> {
    try {
      while (await this.#commits.write(() => this.#expire.run(this.#now()).changes === SWEEP_AT_ONCE));
      while (await this.#commits.write(() => this.#dropExcess()));
    } catch {
      // The status is down, and the next sweep tries again.
    }
  }

  /** Returns whether there may be more. */
  #dropExcess(): boolean {
    if (this.#maxKeys === Infinity) return false;
    const excess = Number(this.#count.get()?.['count']) - this.#maxKeys;
    if (excess <= 0) return false;
    this.#dropOldest.run(Math.min(excess, SWEEP_AT_ONCE));
    return excess > SWEEP_AT_ONCE;
  }
}
