import { every } from '../../../../async/index.js';
import type { BrokerStatus } from '../../../../metrics/index.js';
import { closeRedis, openRedis, type RedisClient, type RedisDriverOptions } from '../../../../redis/index.js';
import { BusClosedError } from '../../../bus.errors.js';
import type { DelayedLaneOptions, ScheduleLimits } from '../../../lanes/delayed-lane.options.js';
import { type DueBatch, type DueItem, DueLoop } from '../../../schedule/due-loop.js';
import { DueLoops } from '../../../schedule/due-loops.js';
import type { ScheduledMessage } from '../../../../message/index.js';
import type {
  DueHandler,
  ScheduleConsumeOptions,
  ScheduleConsumer,
  SchedulePage,
  ScheduleQuery,
  ScheduleUsage,
} from '../../../schedule/schedule.port.js';
import { Schedule } from '../../../schedule/schedule.port.js';
import { ConsumerClaims, type ClaimAttempt } from '../repeatable-claim.js';
import { RedisScheduleStore } from './schedule-store.js';

export type RedisScheduleOptions = RedisDriverOptions &
  ScheduleLimits &
  Pick<
    DelayedLaneOptions,
    'leaseMs' | 'pollIntervalMs' | 'rememberMs' | 'retryInitialMs' | 'retryMaxMs' | 'closeTimeoutMs'
  > & { readonly now?: () => number };

/**
 * The delayed lane in Redis, shared by all processes with the same key prefix.
 *
 * A process leases the messages that it takes, measured by the clock of Redis, and extends the leases while their
 * handlers run. The leases of a process that died expire, and another process takes the messages.
 */
export class RedisSchedule implements Schedule {
  /** `durable` is true only as far as the server is configured for it: see `appendonly` in docs/brokers.md. */
  readonly capabilities = { durable: true, shared: true };
  readonly #store: RedisScheduleStore;
  readonly #loops = new DueLoops();
  /** Messages that this process is handing over: id → the attempt under which Redis leases it. */
  readonly #leased = new Map<string, number>();
  readonly #claims = new ConsumerClaims((claimant) => this.#store.forgetClaims(claimant));
  readonly #leaseTimer: NodeJS.Timeout;
  readonly #now: () => number;
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly client: RedisClient,
    private readonly options: RedisScheduleOptions,
  ) {
    this.#now = options.now ?? Date.now;
    this.#store = new RedisScheduleStore(client, options.keyPrefix, options);
    // Three times per lease, so that one failed extension does no harm.
    this.#leaseTimer = every('extension of the leases of delayed messages', options.leaseMs / 3, () =>
      this.#extendLeases(),
    );
  }

  /** Resolves when Redis is connected, or when the first attempt failed. */
  static async open(options: RedisScheduleOptions, status: BrokerStatus): Promise<RedisSchedule> {
    return new RedisSchedule(await openRedis(options, status), options);
  }

  async add(message: ScheduledMessage, owner?: string): Promise<void> {
    this.#throwIfClosed();
    await this.#store.add(message, owner);
    this.#wake(message.dueAt);
  }

  async cancel(id: string): Promise<boolean> {
    this.#throwIfClosed();
    return this.#store.cancel(id);
  }

  async reschedule(id: string, dueAt: number): Promise<boolean> {
    this.#throwIfClosed();
    const moved = await this.#store.reschedule(id, dueAt);
    if (moved) this.#wake(dueAt);
    return moved;
  }

  async find(id: string): Promise<ScheduledMessage | undefined> {
    this.#throwIfClosed();
    return this.#store.find(id);
  }

  async list(query: ScheduleQuery): Promise<SchedulePage> {
    this.#throwIfClosed();
    return this.#store.page(query);
  }

  async usage(): Promise<ScheduleUsage> {
    this.#throwIfClosed();
    return this.#store.usage();
  }

  async consume(
    { concurrency, progress }: ScheduleConsumeOptions,
    handler: DueHandler,
  ): Promise<ScheduleConsumer> {
    this.#throwIfClosed();
    const { pollIntervalMs, retryInitialMs, retryMaxMs, closeTimeoutMs } = this.options;
    const claims = this.#claims.open();
    const loop = new DueLoop(
      {
        claim: (limit) => claims.next((by) => this.#claim(limit, by)),
        settle: (claim) => this.#settle(claim),
        release: (claim, pauseMs) => this.#release(claim, pauseMs),
        abandon: ({ message }) => void this.#leased.delete(message.id),
      },
      handler,
      { concurrency, progress, pollIntervalMs, retryInitialMs, retryMaxMs, closeTimeoutMs },
    );
    const consumer = this.#loops.add(loop);
    return {
      close: async () => {
        await consumer.close();
        await this.#claims.close(claims);
      },
    };
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#loops.close();
    clearInterval(this.#leaseTimer);
    await this.#claims.closeAll();
    await closeRedis(this.client);
  }

  async #claim(limit: number, by: ClaimAttempt): Promise<DueBatch> {
    const batch = await this.#store.claim(this.#now(), this.options.leaseMs, limit, by);
    // If a lease expired while Redis was unavailable, its message is claimed here again although its handler is still
    // running or is just being settled. This process keeps the new lease and does not hand the message over a second
    // time.
    const items = batch.items.filter(({ message }) => !this.#leased.has(message.id));
    for (const { message, attempt } of batch.items) this.#leased.set(message.id, attempt);
    return { ...batch, items };
  }

  async #settle({ message: { id } }: DueItem): Promise<void> {
    await this.#store.settle(id);
    this.#leased.delete(id);
  }

  async #release({ message: { id }, attempt }: DueItem, pauseMs: number): Promise<void> {
    await this.#store.release(id, this.#leased.get(id) ?? attempt, pauseMs);
    this.#leased.delete(id);
    this.#wake(this.#now() + pauseMs);
  }

  async #extendLeases(): Promise<void> {
    if (this.#leased.size === 0) return;
    try {
      await this.#store.extend(this.#leased, this.options.leaseMs);
    } catch {
      // `status` reports the failure. The timer tries again while the lease is valid.
    }
  }

  #wake(dueAt: number): void {
    this.#loops.wakeIn(dueAt - this.#now());
  }

  #throwIfClosed(): void {
    if (this.#closed !== undefined) throw new BusClosedError();
  }
}
