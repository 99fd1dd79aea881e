import type { DatabaseSync } from 'node:sqlite';
import { after, every, reportFailure } from '../async/index.js';
import { BrokerUnavailableError } from '../errors.js';
import type { BrokerStatus } from '../metrics/index.js';
import { MEMORY } from './sqlite.options.js';
import { StoreFile } from './store-file.js';

interface Write {
  readonly run: () => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The time after a failed write until the store tests whether it can write again. */
const PROBE_AFTER_MS = 1_000;
/** How often the file is looked at while nothing is written. */
const LOOK_EVERY_MS = 1_000;

/**
 * Commits the writes of one event-loop turn in one transaction, because a transaction costs much more than a row. A write
 * resolves after the commit. If a write fails, its transaction is rolled back, and the store is down until a test write
 * succeeds. The store makes the test write itself, because a load balancer may send no requests to a process that is down.
 *
 * Nothing is written while the file is not at its path any more, see {@link StoreFile}.
 */
export class GroupCommit {
  #writes: Write[] = [];
  #drained: Promise<void> = Promise.resolve();
  #closed = false;
  #probing: NodeJS.Timeout | undefined;
  readonly #file: StoreFile;
  readonly #look: NodeJS.Timeout;

  constructor(
    private readonly database: DatabaseSync,
    private readonly status: BrokerStatus,
    /** Creates the error of a write after `close`. */
    private readonly closedError: () => Error,
    path: string = MEMORY,
  ) {
    this.#file = new StoreFile(path);
    this.#look = every('check of an embedded file', LOOK_EVERY_MS, () => {
      const { fault } = this.#file;
      if (fault !== undefined) this.#failed(new Error(fault));
    }).unref();
  }

  /** @param write must be synchronous: it runs inside the transaction, later in this turn */
  write<T>(write: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(this.closedError());
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
   * Reads at once. Does not see the writes of this turn.
   *
   * @throws {BrokerUnavailableError}
   */
  read<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw isSqliteError(cause) ? this.#failed(cause) : cause;
    }
  }

  /** Commits the pending writes, then closes the database. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#drained;
    clearTimeout(this.#probing);
    clearInterval(this.#look);
    this.database.close();
  }

  #commit(): void {
    const writes = this.#writes;
    this.#writes = [];
    try {
      this.#throwIfFileIsGone();
      this.database.exec('BEGIN');
      for (const { run } of writes) run();
      this.database.exec('COMMIT');
    } catch (cause) {
      const error = this.#failed(cause);
      this.#rollBack();
      for (const { reject } of writes) reject(error);
      return;
    }
    for (const { resolve } of writes) resolve();
  }

  #rollBack(): void {
    try {
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
    } catch (error) {
      // The next BEGIN fails as well, so that the store stays down.
      reportFailure('rollback of an embedded store', error);
    }
  }

  #throwIfFileIsGone(): void {
    const { fault } = this.#file;
    if (fault !== undefined) throw new Error(fault);
  }

  #failed(cause: unknown): BrokerUnavailableError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.status.down(reason);
    this.#probing ??= after('test write of an embedded store', PROBE_AFTER_MS, () => this.#probe());
    return new BrokerUnavailableError('sqlite', reason, { cause });
  }

  /** Writes a value that exists already. A transaction without a write would succeed even if the disk is full. */
  #probe(): void {
    this.#probing = undefined;
    try {
      this.#throwIfFileIsGone();
      const version = Number(this.database.prepare('PRAGMA user_version').get()?.['user_version']);
      this.database.exec(`PRAGMA user_version = ${version}`);
    } catch (cause) {
      this.#failed(cause);
      return;
    }
    this.status.up();
  }
}

function isSqliteError(error: unknown): boolean {
  return (error as { readonly code?: unknown } | undefined)?.code === 'ERR_SQLITE_ERROR';
}
