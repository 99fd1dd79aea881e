import type { DatabaseSync } from 'node:sqlite';
import type { BrokerStatus } from '../../metrics/index.js';
import { BrokerUnavailableError, BusClosedError } from '../bus.errors.js';

interface Write {
  readonly run: () => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Commits together what was written within one turn of the event loop, because a transaction costs far more than a row.
 * A write is answered after the commit. If one fails, none of its transaction is kept.
 */
export class GroupCommit {
  #writes: Write[] = [];
  #drained: Promise<void> = Promise.resolve();
  #closed = false;

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

  /** Answers everything that was written so far, then closes the database. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#drained;
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
      const reason = cause instanceof Error ? cause.message : String(cause);
      const error = new BrokerUnavailableError('the embedded file', reason, { cause });
      this.status.down(reason);
      for (const { reject } of writes) reject(error);
      return;
    }
    this.status.up();
    for (const { resolve } of writes) resolve();
  }
}
