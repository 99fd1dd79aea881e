import { every, inBackground } from '../../../async/index.js';
import type { BrokerStatus } from '../../../metrics/index.js';
import { BusClosedError } from '../../bus.errors.js';
import type { DueBatch } from '../../schedule/due-loop.js';
import { DueLoops } from '../../schedule/due-loops.js';
import { type RetryItem, retryLoop } from '../../retries/retry-loop.js';
import type { RetryRecord } from '../../retries/retry-record.js';
import {
  withOutcome,
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterUsage,
  type RetryConsumeOptions,
  type RetryOutcome,
  type RetryConsumer,
  type RetryHandler,
  RetryStore,
  redriven,
} from '../../retries/retry-store.port.js';
import { DroppedDeadLetters } from '../../retries/dropped-dead-letters.js';
import type { DeadLetterLimits, RetryStoreOptions } from '../../retries/retry-store.options.js';
import { DeadLetterTable } from './dead-letter-table.js';
import { retryMigrations, RetryTable } from './retry-table.js';
import { GroupCommit, MEMORY, openDatabase, type SqliteFile } from '../../../sqlite/index.js';

export type SqliteRetryStoreOptions = SqliteFile &
  DeadLetterLimits &
  Pick<RetryStoreOptions, 'closeTimeoutMs'>;

const SWEEP_EVERY_MS = 60_000;
const SWEEP = 'removal of excess dead letters';

/** The time until the loop notices that the clock was set. */
const LOOK_EVERY_MS = 1_000;

/**
 * Retries and dead letters in a SQLite file, or in memory with the path `:memory:`.
 *
 * Only this process uses the file, so it needs no leases: the records that are being retried are known in memory, and after a
 * crash all of them are waiting again.
 */
export class SqliteRetryStore implements RetryStore {
  readonly capabilities;
  readonly #table: RetryTable;
  readonly #deadLetters: DeadLetterTable;
  readonly #commits: GroupCommit;
  readonly #log = new DroppedDeadLetters();
  readonly #sweeper: NodeJS.Timeout;
  #dropped = 0;
  readonly #loops = new DueLoops();
  /** The ids of records that are being retried. */
  readonly #held = new Set<string>();
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly options: SqliteRetryStoreOptions,
    status: BrokerStatus,
  ) {
    this.capabilities = { durable: options.path !== MEMORY, shared: false };
    const database = openDatabase(options, retryMigrations);
    this.#deadLetters = new DeadLetterTable(database);
    this.#table = new RetryTable(database, this.#deadLetters);
    this.#commits = new GroupCommit(database, status, () => new BusClosedError(), options.path);
    this.#sweeper = every(SWEEP, SWEEP_EVERY_MS, () => this.#dropExcess());
    inBackground(SWEEP, () => this.#dropExcess());
    status.up();
  }

  /** @throws {AdapterUnusableError} the file cannot be opened */
  static async open(options: SqliteRetryStoreOptions, status: BrokerStatus): Promise<SqliteRetryStore> {
    return new SqliteRetryStore(options, status);
  }

  async add(records: readonly RetryRecord[], maxWaiting: number): Promise<boolean> {
    const [first] = records;
    if (first === undefined) return true;
    const added = await this.#write(() => {
      if (this.#table.waiting(first.group) + records.length > maxWaiting) return false;
      for (const record of records) this.#table.insert(record);
      return true;
    });
    if (added) for (const { group, dueAt } of records) this.#wake(group, dueAt);
    return added;
  }

  async blockedKeys(group: string, orderingKeys: readonly string[]): Promise<ReadonlySet<string>> {
    this.#refuseIfClosed();
    return this.#commits.read(() => new Set(orderingKeys.filter((key) => this.#table.isBlocked(group, key))));
  }

  async consume(
    group: string,
    { concurrency, progress }: RetryConsumeOptions,
    handler: RetryHandler,
  ): Promise<RetryConsumer> {
    this.#refuseIfClosed();
    const loop = retryLoop(
      {
        claim: async (limit) => this.#commits.read(() => this.#claim(group, limit)),
        conclude: (claim, outcome) => this.#conclude(claim, outcome),
        release: (claim, pauseMs) => this.#release(claim, pauseMs),
        abandon: ({ message }) => void this.#held.delete(message.id),
      },
      handler,
      { concurrency, progress, pollIntervalMs: LOOK_EVERY_MS, closeTimeoutMs: this.options.closeTimeoutMs },
    );
    return this.#loops.add(loop, group);
  }

  async find(id: string): Promise<RetryRecord | undefined> {
    this.#refuseIfClosed();
    return this.#commits.read(() => this.#table.find(id));
  }

  async list(query: DeadLetterQuery): Promise<DeadLetterPage> {
    this.#refuseIfClosed();
    return this.#commits.read(() => this.#deadLetters.page(query));
  }

  async usage(): Promise<DeadLetterUsage> {
    this.#refuseIfClosed();
    const { count, bytes } = this.#commits.read(() => this.#deadLetters.usage());
    return { deadLetters: count, bytes, dropped: this.#dropped };
  }

  async redrive(id: string): Promise<boolean> {
    const now = Date.now();
    const record = await this.#takeDead(id, (dead) => this.#table.insert(redriven(dead, now)));
    if (record !== undefined) this.#wake(record.group, now);
    return record !== undefined;
  }

  async drop(id: string): Promise<boolean> {
    return (await this.#takeDead(id)) !== undefined;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#loops.close();
    await this.#commits.close();
  }

  #claim(group: string, limit: number): DueBatch<RetryItem> {
    const now = Date.now();
    const items: RetryItem[] = [];
    // Held rows are due as well and come first, so that many more rows are read.
    for (const id of this.#table.readyIds(group, now, limit + this.#held.size)) {
      if (items.length === limit) break;
      const message = this.#held.has(id) ? undefined : this.#table.find(id);
      if (message === undefined) continue;
      this.#held.add(id);
      items.push({ message, attempt: message.attempts + 1 });
    }
    const nextAt = this.#table.nextReadyAfter(group, now);
    return { items, ...(nextAt === undefined ? {} : { nextInMs: nextAt - now }) };
  }

  async #conclude({ message: record }: RetryItem, outcome: RetryOutcome): Promise<void> {
    const now = Date.now();
    await this.#write(() => {
      if (outcome.kind === 'handled') this.#table.remove(record, now);
      else this.#table.update(withOutcome(record, outcome), now);
    });
    this.#held.delete(record.id);
    if (outcome.kind === 'dead') await this.#dropExcess();
    this.#wake(record.group, outcome.kind === 'retry' ? outcome.dueAt : now);
  }

  async #release({ message }: RetryItem, pauseMs: number): Promise<void> {
    const readyAt = Math.ceil(Date.now() + pauseMs);
    await this.#write(() => this.#table.postpone(message.id, readyAt));
    this.#held.delete(message.id);
    this.#wake(message.group, readyAt);
  }

  async #dropExcess(): Promise<void> {
    try {
      for (;;) {
        const ids = await this.#write(() => {
          const excess = this.#deadLetters.excess(this.options, Date.now());
          this.#table.removeDead(excess);
          return excess;
        });
        if (ids.length === 0) return;
        this.#dropped += ids.length;
        this.#log.report(ids.length);
      }
    } catch {
      // The status is down, or the store is closed. The next dead letter or sweep tries again.
    }
  }

  async #write<T>(write: () => T): Promise<T> {
    try {
      return await this.#commits.write(write);
    } catch (error) {
      this.#deadLetters.countAgain();
      throw error;
    }
  }

  #takeDead(id: string, then?: (record: RetryRecord) => void): Promise<RetryRecord | undefined> {
    return this.#write(() => {
      const record = this.#table.find(id);
      if (record?.state !== 'dead') return undefined;
      this.#table.remove(record, Date.now());
      then?.(record);
      return record;
    });
  }

  #wake(group: string, dueAt: number): void {
    this.#loops.wakeIn(dueAt - Date.now(), group);
  }

  #refuseIfClosed(): void {
    if (this.#closed !== undefined) throw new BusClosedError();
  }
}
