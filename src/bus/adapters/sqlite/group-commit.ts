import type { DatabaseSync } from 'node:sqlite';
import type { BrokerStatus } from '../../../metrics/index.js';
import { BrokerUnavailableError, BusClosedError } from '../../bus.errors.js';

interface Write {
  readonly run: () => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** How long a store stays down that could not write, before it is tried whether it can. */
const PROBE_AFTER_MS = 1_000;

/**
 * Commits together what was written within one turn of the event loop, because a transaction costs far more than a row.
 * A write is answered after the commit. If one fails, none of its transaction is kept, and the store is down until it has
 * shown that it can write: by itself, because nobody may be sent here meanwhile.
 */
export class GroupCommit {
  #writes: Write[] = [];
  #drained: Promise<void> = Promise.resolve();
  #closed = false;
  #probing: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: DatabaseSync,
    private readonly status: BrokerStatus,
  ) {}

  /** @param write must not return a promise: it runs inside the transaction, later in this turn */
  write<T>(write: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new BusClosedError());
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#writes.length === 0) {
      this.#drained = new Promise((done) => {
        setImmediate(() => {
          this.#commit();
          done();
        });
      });
    }
    let result: T;
    this.#writes.push({ run: () => void (result = write()), resolve: () => resolve(result), reject });
    return promise;
  }

  /**
   * Looks something up at once, and not what was written in this turn.
   *
   * @throws {BrokerUnavailableError}
   */
  read<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw isOfSqlite(cause) ? this.#failed(cause) : cause;
    }
  }

  /** Answers everything that was written so far, then closes the database. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#drained;
    clearTimeout(this.#probing);
    this.database.close();
  }

  #commit(): void {
    const writes = this.#writes;
    this.#writes = [];
    try {
      this.database.exec('BEGIN');
      for (const { run } of writes) run();
      this.database.exec('COMMIT');
    } catch (cause) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
      const error = this.#failed(cause);
      for (const { reject } of writes) reject(error);
      return;
    }
    for (const { resolve } of writes) resolve();
  }

  #failed(cause: unknown): BrokerUnavailableError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.status.down(reason);
    this.#probing ??= setTimeout(() => this.#probe(), PROBE_AFTER_MS);
    return new BrokerUnavailableError('the embedded file', reason, { cause });
  }

  /** Writes what is there already. A transaction that changes nothing would succeed on a disk that is full. */
  #probe(): void {
    this.#probing = undefined;
    try {
      const version = Number(this.database.prepare('PRAGMA user_version').get()?.['user_version']);
      this.database.exec(`PRAGMA user_version = ${version}`);
    } catch (cause) {
      this.#failed(cause);
      return;
    }
    this.status.up();
  }
}

function isOfSqlite(error: unknown): boolean {
  return (error as { readonly code?: unknown } | undefined)?.code === 'ERR_SQLITE_ERROR';
}
