import { every } from '../../../async/index.js';
import type { BrokerStatus } from '../../../metrics/index.js';
import { toBytes, type ScheduledMessage } from '../../../message/index.js';
import { type LedgerClaim, type LedgerOptions, ScheduleLedger } from '../../schedule/schedule-ledger.port.js';
import { type LimitReached, refusalOf, ScheduleQuota } from '../../schedule/schedule-quota.js';
import type { SchedulePage, ScheduleQuery, ScheduleUsage } from '../../schedule/schedule.port.js';
import { type LedgerEntry, messageOf, unseen, WITHOUT_MESSAGE } from './ledger-entry.js';
import { ledgerMigrations, LedgerTable } from './ledger-table.js';
import { GroupCommit, MEMORY, openDatabase, type SqliteFile } from '../../../sqlite/index.js';
import { BusClosedError } from '../../bus.errors.js';

const SWEEP_EVERY_MS = 10_000;

/** The ledger of a schedule in a SQLite file, or in memory with the path `:memory:`, for one process. */
export class SqliteLedger extends ScheduleLedger {
  readonly durable: boolean;
  readonly shared = false;
  readonly #table: LedgerTable;
  readonly #commits: GroupCommit;
  readonly #quota: ScheduleQuota;
  /** A transaction was rolled back after its messages were counted. */
  #isMiscounted = false;
  readonly #sweeper: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly options: SqliteFile & LedgerOptions,
    status: BrokerStatus,
  ) {
    super();
    this.durable = options.path !== MEMORY;
    const database = openDatabase(options, ledgerMigrations);
    this.#table = new LedgerTable(database);
    this.#quota = new ScheduleQuota(options);
    this.#quota.restore(this.#table.usage());
    this.#commits = new GroupCommit(database, status, () => new BusClosedError(), options.path);
    this.#sweeper = every('removal of old ledger entries', SWEEP_EVERY_MS, () => this.#sweep());
    status.up();
  }

  /** @throws {AdapterUnusableError} the file cannot be opened */
  static async open(options: SqliteFile & LedgerOptions, status: BrokerStatus): Promise<SqliteLedger> {
    return new SqliteLedger(options, status);
  }

  async record(message: ScheduledMessage, owner?: string): Promise<boolean> {
    const { id, channel, createdAt, expiresAt } = message;
    const bytes = toBytes(message);
    const cost = { size: bytes.length, owner };
    // A refusal is returned and thrown later: an error would undo the other writes of the transaction.
    const recorded = await this.#write((): boolean | LimitReached => {
      const entry = this.#table.read(id);
      if (entry && entry.state !== 'abandoned') {
        if (entry.state !== 'pending' || entry.is_held) return false;
        this.#put({ ...entry, senders: entry.senders + 1 });
        return true;
      }
      const reached = this.#quota.limitFor(cost);
      if (reached !== undefined) return reached;
      const dueAt = Math.ceil(message.dueAt);
      const fresh = {
        id,
        channel,
        bytes,
        size: bytes.length,
        owner: owner ?? null,
        created_at: Math.floor(createdAt),
        expires_at: expiresAt === undefined ? null : Math.floor(expiresAt),
        due_at: dueAt,
        last_copy_at: dueAt,
        senders: 1,
        state: 'pending',
      } as const;
      // Until a copy is known to exist, the entry is kept only as long as a copy would matter.
      this.#put({
        ...fresh,
        is_held: 0,
        lease: 0,
        leased_until: 0,
        claimant: null,
        forget_at: this.#forgetAt(fresh),
      });
      return true;
    });
    if (typeof recorded === 'string') throw refusalOf(recorded, this.options);
    return recorded;
  }

  async confirm(id: string): Promise<void> {
    await this.#change(id, 'pending', (entry) => ({
      ...entry,
      is_held: 1,
      senders: entry.senders - 1,
      forget_at: null,
    }));
  }

  async abandon(id: string): Promise<void> {
    await this.#change(id, 'pending', (entry) => {
      const senders = entry.senders - 1;
      return senders > 0 || entry.is_held ? { ...entry, senders } : this.#gone(entry, 'abandoned');
    });
  }

  async claim(id: string, token: string): Promise<LedgerClaim> {
    return this.#write(() => {
      const now = Date.now();
      const entry = this.#table.read(id) ?? unseen(id, now);
      const { state, due_at: dueAt } = entry;
      if (state === 'gone' || state === 'abandoned') return { outcome: 'gone' };
      const isLeased = state === 'claimed' && entry.leased_until > now;
      if (isLeased && entry.claimant !== token) {
        return { outcome: 'leased', waitMs: entry.leased_until - now };
      }
      if (state === 'pending' && dueAt !== null && dueAt > now) {
        return { outcome: 'early', dueAt, waitMs: dueAt - now };
      }
      const lease = isLeased ? entry.lease : entry.lease + 1;
      const leased_until = now + this.options.leaseMs;
      // For a message that was never recorded, it is unknown whether another copy will arrive.
      const forget_at = dueAt === null ? leased_until + this.options.rememberMs : null;
      this.#put({ ...entry, state: 'claimed', lease, leased_until, claimant: token, forget_at });
      return { outcome: 'claimed', lease, ...(dueAt === null ? {} : { dueAt }) };
    });
  }

  async extend(id: string, lease: number): Promise<void> {
    await this.#changeClaim(id, lease, { leased_until: Date.now() + this.options.leaseMs });
  }

  async release(id: string, lease: number): Promise<void> {
    await this.#changeClaim(id, lease, { leased_until: 0 });
  }

  async giveUp(id: string, lease: number): Promise<void> {
    const forget_at = Date.now() + this.options.rememberMs;
    await this.#changeClaim(id, lease, { leased_until: 0, forget_at, owner: null, size: null });
  }

  async settle(id: string): Promise<void> {
    await this.#write(() => {
      this.#put(this.#gone(this.#table.read(id) ?? unseen(id, Date.now()), 'gone'));
    });
  }

  async cancel(id: string): Promise<boolean> {
    return this.#change(id, 'pending', (entry) => this.#gone(entry, 'gone'));
  }

  async move(id: string, dueAt: number, from?: number): Promise<number | undefined> {
    return this.#write(() => {
      const entry = this.#table.read(id);
      if (entry?.state !== 'pending' || entry.due_at === null) return undefined;
      if (from !== undefined && entry.due_at !== Math.ceil(from)) return undefined;
      const due_at = Math.ceil(dueAt);
      const moved = { ...entry, due_at, last_copy_at: Math.max(entry.last_copy_at, due_at) };
      this.#put({ ...moved, forget_at: entry.is_held ? null : this.#forgetAt(moved) });
      return entry.due_at;
    });
  }

  async find(id: string): Promise<ScheduledMessage | undefined> {
    const entry = await this.#commits.write(() => this.#table.read(id));
    return entry?.state === 'pending' ? messageOf(entry) : undefined;
  }

  async list(query: ScheduleQuery): Promise<SchedulePage> {
    return this.#commits.write(() => this.#table.page(query));
  }

  async usage(): Promise<ScheduleUsage> {
    return this.#quota.usage;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#commits.close();
  }

  async #write<T>(write: () => T): Promise<T> {
    try {
      return await this.#commits.write(() => {
        if (this.#isMiscounted) this.#quota.restore(this.#table.usage());
        this.#isMiscounted = false;
        return write();
      });
    } catch (error) {
      this.#isMiscounted = true;
      throw error;
    }
  }

  /** Stores and counts an entry. */
  #put(entry: LedgerEntry): void {
    const before = this.#table.costOf(entry.id);
    this.#table.write(entry);
    if (before !== undefined) this.#quota.remove(before);
    if (entry.size !== null) this.#quota.add({ size: entry.size, owner: entry.owner });
  }

  #forget(): boolean {
    const { costs, more } = this.#table.forget();
    for (const cost of costs) this.#quota.remove(cost);
    return more;
  }

  /** Resolves to whether the entry was in that state. */
  #change(
    id: string,
    state: LedgerEntry['state'],
    change: (entry: LedgerEntry) => LedgerEntry,
  ): Promise<boolean> {
    return this.#write(() => {
      const entry = this.#table.read(id);
      if (entry?.state !== state) return false;
      this.#put(change(entry));
      return true;
    });
  }

  async #changeClaim(id: string, lease: number, change: Partial<LedgerEntry>): Promise<void> {
    await this.#change(id, 'claimed', (entry) => (entry.lease === lease ? { ...entry, ...change } : entry));
  }

  #gone(entry: LedgerEntry, state: 'gone' | 'abandoned'): LedgerEntry {
    return {
      ...entry,
      ...WITHOUT_MESSAGE,
      state,
      forget_at: this.#forgetAt(entry),
    };
  }

  #forgetAt({ last_copy_at: lastCopyAt }: Pick<LedgerEntry, 'last_copy_at'>): number {
    return Math.max(lastCopyAt, Date.now()) + this.options.rememberMs;
  }

  async #sweep(): Promise<void> {
    try {
      while (await this.#write(() => this.#forget()));
    } catch {
      // The status is down, and the next sweep tries again.
    }
  }
}
