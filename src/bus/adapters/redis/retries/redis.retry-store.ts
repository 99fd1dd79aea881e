import type { BrokerStatus } from '../../../../metrics/index.js';
import { closeRedis, openRedis, type RedisClient, type RedisDriverOptions } from '../../../../redis/index.js';
import { BusClosedError } from '../../../bus.errors.js';
import type { DueBatch } from '../../../schedule/due-loop.js';
import { DueLoops } from '../../../schedule/due-loops.js';
import { type RetryItem, retryLoop } from '../../../retries/retry-loop.js';
import type { RetryRecord } from '../../../retries/retry-record.js';
import {
  type DeadLetterPage,
  type DeadLetterQuery,
  type RetryOutcome,
  type RetryConsumer,
  type RetryHandler,
  RetryStore,
} from '../../../retries/retry-store.port.js';
import type { RetryStoreOptions } from '../../../retries/retry-store.options.js';
import { RedisRetryRecords } from './retry-records.js';

export type RedisRetryStoreOptions = RedisDriverOptions &
  Pick<RetryStoreOptions, 'pollIntervalMs' | 'closeTimeoutMs'> & {
    /** How long a dead process keeps what it had, in ms. */
    readonly leaseMs?: number;
  };

const LEASE_MS = 30_000;

/**
 * Parked records in Redis, shared by every process with the same key prefix.
 *
 * What a process tries is leased to it, by the clock of Redis, and it extends its leases while it is at it.
 */
export class RedisRetryStore implements RetryStore {
  /** As durable as the server was told to be: see `appendonly` in docs/brokers.md. */
  readonly capabilities = { durable: true, shared: true };
  readonly #store: RedisRetryRecords;
  readonly #loops = new DueLoops();
  /** What this process is trying, by group: id → the number of its claim. */
  readonly #held = new Map<string, Map<string, string>>();
  readonly #leaseMs: number;
  readonly #leaseKeeper: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly client: RedisClient,
    private readonly options: RedisRetryStoreOptions,
  ) {
    this.#store = new RedisRetryRecords(client, options.keyPrefix);
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    // A third of the lease leaves room for an extension that fails.
    this.#leaseKeeper = setInterval(() => void this.#extendLeases(), this.#leaseMs / 3);
  }

  static async open(options: RedisRetryStoreOptions, status: BrokerStatus): Promise<RedisRetryStore> {
    return new RedisRetryStore(await openRedis(options, status), options);
  }

  async add(records: readonly RetryRecord[], maxWaiting: number): Promise<boolean> {
    this.#refuseIfClosed();
    const [first] = records;
    if (first === undefined) return true;
    const parked = await this.#store.add(first.group, records, maxWaiting);
    if (parked) for (const { group, dueAt } of records) this.#wake(group, dueAt);
    return parked;
  }

  async blockedKeys(group: string, orderingKeys: readonly string[]): Promise<ReadonlySet<string>> {
    this.#refuseIfClosed();
    return this.#store.blockedKeys(group, orderingKeys);
  }

  async consume(
    group: string,
    { concurrency }: { readonly concurrency: number },
    handler: RetryHandler,
  ): Promise<RetryConsumer> {
    this.#refuseIfClosed();
    const { pollIntervalMs, closeTimeoutMs } = this.options;
    const held = this.#held.get(group) ?? new Map<string, string>();
    this.#held.set(group, held);
    const loop = retryLoop(
      {
        claim: (limit) => this.#claim(group, held, limit),
        conclude: (claim, outcome) => this.#conclude(claim, held, outcome),
        release: (claim, pauseMs) => this.#release(claim, held, pauseMs),
        abandon: ({ message }) => void held.delete(message.id),
      },
      handler,
      { concurrency, pollIntervalMs, closeTimeoutMs },
    );
    return this.#loops.add(loop, group);
  }

  async find(id: string): Promise<RetryRecord | undefined> {
    this.#refuseIfClosed();
    return this.#store.find(id);
  }

  async list(query: DeadLetterQuery): Promise<DeadLetterPage> {
    this.#refuseIfClosed();
    return this.#store.page(query);
  }

  async redrive(id: string): Promise<boolean> {
    const record = await this.find(id);
    if (record?.state !== 'dead') return false;
    const now = Date.now();
    const done = await this.#store.redrive(record, now);
    if (done) this.#wake(record.group, now);
    return done;
  }

  async drop(id: string): Promise<boolean> {
    const record = await this.find(id);
    return record?.state === 'dead' && this.#store.drop(record);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#loops.close();
    clearInterval(this.#leaseKeeper);
    await closeRedis(this.client);
  }

  async #claim(group: string, held: Map<string, string>, limit: number): Promise<DueBatch<RetryItem>> {
    const { numbers, ...batch } = await this.#store.claim(group, Date.now(), this.#leaseMs, limit);
    // A lease that ended while Redis was away comes back here although its handler is still at work: it is taken on.
    const items = batch.items.filter(({ message }) => !held.has(message.id));
    for (const [id, number] of numbers) held.set(id, number);
    return { ...batch, items };
  }

  async #conclude({ message }: RetryItem, held: Map<string, string>, outcome: RetryOutcome): Promise<void> {
    await this.#store.conclude(message, held.get(message.id) ?? '', outcome);
    held.delete(message.id);
    this.#wake(message.group, outcome.kind === 'retry' ? outcome.dueAt : Date.now());
  }

  async #release({ message }: RetryItem, held: Map<string, string>, pauseMs: number): Promise<void> {
    await this.#store.release(message, held.get(message.id) ?? '', pauseMs);
    held.delete(message.id);
    this.#wake(message.group, Date.now() + pauseMs);
  }

  async #extendLeases(): Promise<void> {
    try {
      for (const [group, held] of this.#held)
        if (held.size > 0) await this.#store.extend(group, held, this.#leaseMs);
    } catch {
      // The status tells; the next turn tries again, as long as the lease lasts.
    }
  }

  #wake(group: string, dueAt: number): void {
    this.#loops.wakeIn(dueAt - Date.now(), group);
  }

  #refuseIfClosed(): void {
    if (this.#closed !== undefined) throw new BusClosedError();
  }
}
