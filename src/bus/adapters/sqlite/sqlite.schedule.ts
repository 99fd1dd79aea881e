import { every } from '../../../async/index.js';
import type { BrokerStatus } from '../../../metrics/index.js';
import { BusClosedError } from '../../bus.errors.js';
import type { DelayedLaneOptions, ScheduleLimits } from '../../lanes/delayed-lane.options.js';
import { type DueBatch, type DueItem, DueLoop } from '../../schedule/due-loop.js';
import { DueLoops } from '../../schedule/due-loops.js';
import { refusalOf, type ScheduleCost, ScheduleQuota } from '../../schedule/schedule-quota.js';
import { toBytes, type ScheduledMessage } from '../../../message/index.js';
import type {
  DueHandler,
  ScheduleConsumer,
  SchedulePage,
  ScheduleQuery,
  ScheduleUsage,
} from '../../schedule/schedule.port.js';
import { Schedule } from '../../schedule/schedule.port.js';
import { scheduleMigrations, ScheduleTable } from './schedule-table.js';
import { GroupCommit, MEMORY, openDatabase, type SqliteFile } from '../../../sqlite/index.js';

export type SqliteScheduleOptions = SqliteFile &
  ScheduleLimits &
  Pick<DelayedLaneOptions, 'rememberMs' | 'retryInitialMs' | 'retryMaxMs' | 'closeTimeoutMs'> & {
    /** Longest time in ms until the loop notices that the clock was set, or that the machine was suspended. */
    readonly pollIntervalMs?: number;
    readonly now?: () => number;
  };

const SWEEP_EVERY_MS = 10_000;

/**
 * The delayed lane in a SQLite file, or in memory with the path `:memory:`.
 *
 * Only this process uses the file, so it needs no leases: the messages that are being delivered are known in memory, and after a
 * crash every message that was not settled is pending again.
 */
export class SqliteSchedule implements Schedule {
  readonly capabilities;
  readonly #table: ScheduleTable;
  readonly #commits: GroupCommit;
  readonly #loops = new DueLoops();
  readonly #sweeper: NodeJS.Timeout;
  /** The ids of messages that are being delivered. */
  readonly #held = new Set<string>();
  readonly #now: () => number;
  /** Counts the messages in the file, and those that are being added. */
  readonly #quota: ScheduleQuota;
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly options: SqliteScheduleOptions,
    status: BrokerStatus,
  ) {
    this.capabilities = { durable: options.path !== MEMORY, shared: false };
    this.#now = options.now ?? Date.now;
    const database = openDatabase(options, scheduleMigrations);
    this.#table = new ScheduleTable(database);
    this.#quota = new ScheduleQuota(options);
    this.#quota.restore(this.#table.usage());
    this.#commits = new GroupCommit(database, status, () => new BusClosedError(), options.path);
    this.#sweeper = every('removal of old delayed messages', SWEEP_EVERY_MS, () => this.#sweep());
    status.up();
  }

  /** @throws {AdapterUnusableError} the file cannot be opened */
  static async open(options: SqliteScheduleOptions, status: BrokerStatus): Promise<SqliteSchedule> {
    return new SqliteSchedule(options, status);
  }

  async add(message: ScheduledMessage, owner?: string): Promise<void> {
    const bytes = toBytes(message);
    const cost = { size: bytes.length, owner };
    this.#refuseIfFull(message.id, cost);
    this.#quota.add(cost);
    let isNew = false;
    try {
      isNew = await this.#write(() => this.#table.insert(message, bytes, owner, this.#now()));
    } finally {
      if (!isNew) this.#quota.remove(cost);
    }
    this.#wake(message.dueAt);
  }

  async cancel(id: string): Promise<boolean> {
    const cancelled = await this.#write(() => (this.#isPending(id) ? this.#finish(id) : undefined));
    if (cancelled !== undefined) this.#quota.remove(cancelled);
    return cancelled !== undefined;
  }

  async reschedule(id: string, dueAt: number): Promise<boolean> {
    const moved = await this.#write(() => this.#isPending(id) && this.#table.move(id, dueAt));
    if (moved) this.#wake(dueAt);
    return moved;
  }

  async find(id: string): Promise<ScheduledMessage | undefined> {
    this.#refuseIfClosed();
    return this.#commits.read(() => (this.#isPending(id) ? this.#table.find(id) : undefined));
  }

  async list(query: ScheduleQuery): Promise<SchedulePage> {
    this.#refuseIfClosed();
    return this.#commits.read(() => this.#table.page(query, (id) => !this.#held.has(id)));
  }

  async usage(): Promise<ScheduleUsage> {
    return this.#quota.usage;
  }

  async consume(options: { readonly concurrency: number }, handler: DueHandler): Promise<ScheduleConsumer> {
    this.#refuseIfClosed();
    const { pollIntervalMs = 1_000, retryInitialMs, retryMaxMs, closeTimeoutMs } = this.options;
    const loop = new DueLoop(
      {
        claim: async (limit) => this.#commits.read(() => this.#claim(limit)),
        settle: (claim) => this.#settle(claim),
        release: (claim, pauseMs) => this.#release(claim, pauseMs),
        abandon: ({ message }) => void this.#held.delete(message.id),
      },
      handler,
      { concurrency: options.concurrency, pollIntervalMs, retryInitialMs, retryMaxMs, closeTimeoutMs },
    );
    return this.#loops.add(loop);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#loops.close();
    await this.#commits.close();
  }

  #claim(limit: number): DueBatch {
    const now = this.#now();
    const items: DueItem[] = [];
    // Held rows are due as well and come first, so that many more rows are read.
    for (const id of this.#table.readyIds(now, limit + this.#held.size)) {
      if (items.length === limit) break;
      const claim = this.#held.has(id) ? undefined : this.#table.read(id);
      if (claim === undefined) continue;
      this.#held.add(id);
      items.push(claim);
    }
    const nextAt = this.#table.nextReadyAfter(now);
    return { items, ...(nextAt === undefined ? {} : { nextInMs: nextAt - now }) };
  }

  async #settle({ message }: DueItem): Promise<void> {
    const settled = await this.#commits.write(() => this.#finish(message.id));
    if (settled !== undefined) this.#quota.remove(settled);
    this.#held.delete(message.id);
  }

  async #release({ message }: DueItem, pauseMs: number): Promise<void> {
    const readyAt = Math.ceil(this.#now() + pauseMs);
    await this.#commits.write(() => this.#table.postpone(message.id, readyAt));
    this.#held.delete(message.id);
    this.#wake(readyAt);
  }

  #isPending(id: string): boolean {
    return !this.#held.has(id) && this.#table.isUntried(id);
  }

  #write<T>(write: () => T): Promise<T> {
    this.#refuseIfClosed();
    return this.#commits.write(write);
  }

  #wake(dueAt: number): void {
    this.#loops.wakeIn(dueAt - this.#now());
  }

  async #sweep(): Promise<void> {
    try {
      while (await this.#commits.write(() => this.#table.forget(this.#now())));
    } catch {
      // The status is down, and the next sweep tries again.
    }
  }

  #finish(id: string): ScheduleCost | undefined {
    return this.#table.finish(id, this.#now() + this.options.rememberMs);
  }

  /** A message that is stored, or was stored recently, may always be added again. */
  #refuseIfFull(id: string, cost: ScheduleCost): void {
    const reached = this.#quota.limitFor(cost);
    if (this.#closed !== undefined || reached === undefined) return;
    if (this.#commits.read(() => this.#table.isKnown(id, this.#now()))) return;
    throw refusalOf(reached, this.options);
  }

  #refuseIfClosed(): void {
    if (this.#closed !== undefined) throw new BusClosedError();
  }
}
