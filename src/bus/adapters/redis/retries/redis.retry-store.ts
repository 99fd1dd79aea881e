import { every } from '../../../../async/index.js';
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
  type DeadLetterUsage,
  type RetryConsumeOptions,
  type RetryOutcome,
  type RetryConsumer,
  type RetryHandler,
  RetryStore,
} from '../../../retries/retry-store.port.js';
import { DroppedDeadLetters } from '../../../retries/dropped-dead-letters.js';
import type { DeadLetterLimits, RetryStoreOptions } from '../../../retries/retry-store.options.js';
import { ConsumerClaims, type ClaimAttempt } from '../repeatable-claim.js';
import { RedisRetryRecords } from './retry-records.js';

export type RedisRetryStoreOptions = RedisDriverOptions &
  DeadLetterLimits &
  Pick<RetryStoreOptions, 'pollIntervalMs' | 'closeTimeoutMs'> & {
    /** How long a process that died keeps the records that it was handling, in ms. */
    readonly leaseMs?: number;
  };

/** As long as a partition lease of Redis Streams: longer than handlers usually block the event loop. */
const LEASE_MS = 10_000;

const SWEEP_EVERY_MS = 60_000;

/**
 * The retry store in Redis, shared by all processes with the same key prefix.
 *
 * A process leases the records that it handles, measured by the clock of Redis, and extends the leases until their
 * handlers have finished.
 */
export class RedisRetryStore implements RetryStore {
  /** `durable` is true only as far as the server is configured for it: see `appendonly` in docs/brokers.md. */
  readonly capabilities = { durable: true, shared: true };
  readonly #store: RedisRetryRecords;
  readonly #loops = new DueLoops();
  /** Records that this process is handling, by group: id → the number of its claim. */
  readonly #leased = new Map<string, Map<string, string>>();
  readonly #claims = new ConsumerClaims((claimant) => this.#store.forgetClaims(claimant));
  readonly #leaseMs: number;
  readonly #leaseTimer: NodeJS.Timeout;
  readonly #sweeper: NodeJS.Timeout;
  readonly #log = new DroppedDeadLetters();
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly client: RedisClient,
    private readonly options: RedisRetryStoreOptions,
  ) {
    this.#store = new RedisRetryRecords(client, options.keyPrefix);
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#sweeper = every('removal of excess dead letters', SWEEP_EVERY_MS, () => this.#dropExcess());
    // Three times per lease, so that one failed extension does no harm.
    this.#leaseTimer = every('extension of the leases of retry records', this.#leaseMs / 3, () =>
      this.#extendLeases(),
    );
  }

  /** Resolves when Redis is connected, or when the first attempt failed. */
  static async open(options: RedisRetryStoreOptions, status: BrokerStatus): Promise<RedisRetryStore> {
    return new RedisRetryStore(await openRedis(options, status), options);
  }

  async add(records: readonly RetryRecord[], maxWaiting: number): Promise<boolean> {
    this.#throwIfClosed();
    const [first] = records;
    if (first === undefined) return true;
    const added = await this.#store.add(first.group, records, maxWaiting);
    if (added) for (const { group, dueAt } of records) this.#wake(group, dueAt);
    return added;
  }

  async blockedKeys(group: string, orderingKeys: readonly string[]): Promise<ReadonlySet<string>> {
    this.#throwIfClosed();
    return this.#store.blockedKeys(group, orderingKeys);
  }

  async consume(
    group: string,
    { concurrency, progress }: RetryConsumeOptions,
    handler: RetryHandler,
  ): Promise<RetryConsumer> {
    this.#throwIfClosed();
    const { pollIntervalMs, closeTimeoutMs } = this.options;
    const leased = this.#leased.get(group) ?? new Map<string, string>();
    this.#leased.set(group, leased);
    const claims = this.#claims.open();
    const loop = retryLoop(
      {
        claim: (limit) => claims.next((attempt) => this.#claim(group, leased, limit, attempt)),
        conclude: (item, outcome) => this.#conclude(item, leased, outcome),
        release: (item, pauseMs) => this.#release(item, leased, pauseMs),
        abandon: ({ message }) => void leased.delete(message.id),
      },
      handler,
      { concurrency, progress, pollIntervalMs, closeTimeoutMs },
    );
    const consumer = this.#loops.add(loop, group);
    return {
      close: async () => {
        await consumer.close();
        await this.#claims.close(claims);
      },
    };
  }

  async find(id: string): Promise<RetryRecord | undefined> {
    this.#throwIfClosed();
    return this.#store.find(id);
  }

  async list(query: DeadLetterQuery): Promise<DeadLetterPage> {
    this.#throwIfClosed();
    return this.#store.page(query);
  }

  async usage(): Promise<DeadLetterUsage> {
    this.#throwIfClosed();
    return this.#store.usage();
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
    clearInterval(this.#leaseTimer);
    clearInterval(this.#sweeper);
    await this.#claims.closeAll();
    await closeRedis(this.client);
  }

  async #claim(
    group: string,
    leased: Map<string, string>,
    limit: number,
    attempt: ClaimAttempt,
  ): Promise<DueBatch<RetryItem>> {
    const { numbers, ...batch } = await this.#store.claim(group, Date.now(), this.#leaseMs, limit, attempt);
    // If a lease expired while Redis was unavailable, its record is claimed here again although its handler is still
    // running. This process keeps the new lease and does not start the handler a second time.
    const items = batch.items.filter(({ message }) => !leased.has(message.id));
    for (const [id, number] of numbers) leased.set(id, number);
    return { ...batch, items };
  }

  async #conclude({ message }: RetryItem, leased: Map<string, string>, outcome: RetryOutcome): Promise<void> {
    await this.#store.conclude(message, leased.get(message.id) ?? '', outcome);
    leased.delete(message.id);
    if (outcome.kind === 'dead') await this.#dropExcess();
    this.#wake(message.group, outcome.kind === 'retry' ? outcome.dueAt : Date.now());
  }

  async #release({ message }: RetryItem, leased: Map<string, string>, pauseMs: number): Promise<void> {
    await this.#store.release(message, leased.get(message.id) ?? '', pauseMs);
    leased.delete(message.id);
    this.#wake(message.group, Date.now() + pauseMs);
  }

  async #dropExcess(): Promise<void> {
    try {
      this.#log.report(await this.#store.dropExcess(this.options));
    } catch {
      // `status` reports the failure. The next dead letter or sweep tries again.
    }
  }

  async #extendLeases(): Promise<void> {
    try {
      for (const [group, leased] of this.#leased)
        if (leased.size > 0) await this.#store.extend(group, leased, this.#leaseMs);
    } catch {
      // `status` reports the failure. The timer tries again while the lease is valid.
    }
  }

  #wake(group: string, dueAt: number): void {
    this.#loops.wakeIn(dueAt - Date.now(), group);
  }

  #throwIfClosed(): void {
    if (this.#closed !== undefined) throw new BusClosedError();
  }
}
