import type { BrokerStatus } from '../../../../metrics/index.js';
import { closeRedis, openRedis, type RedisClient, type RedisDriverOptions } from '../../../../redis/index.js';
import { BusClosedError } from '../../../bus.errors.js';
import type { DelayedLaneOptions } from '../../../lanes/delayed-lane.options.js';
import { type DueBatch, type DueItem, DueLoop } from '../../../schedule/due-loop.js';
import { DueLoops } from '../../../schedule/due-loops.js';
import type { ScheduledMessage } from '../../../../message/index.js';
import type {
  DueHandler,
  ScheduleConsumer,
  SchedulePage,
  ScheduleQuery,
} from '../../../schedule/schedule.port.js';
import { Schedule } from '../../../schedule/schedule.port.js';
import { RedisScheduleStore } from './schedule-store.js';

export type RedisScheduleOptions = RedisDriverOptions &
  Pick<
    DelayedLaneOptions,
    'leaseMs' | 'pollIntervalMs' | 'rememberMs' | 'retryInitialMs' | 'retryMaxMs' | 'closeTimeoutMs'
  > & { readonly now?: () => number };

/**
 * The delayed lane in Redis, shared by every process with the same key prefix.
 *
 * What a process takes is leased to it, by the clock of Redis. It extends its leases while it hands over; the leases of a
 * process that died end, and another takes the messages.
 */
export class RedisSchedule implements Schedule {
  /** As durable as the server was told to be: see `appendonly` in docs/brokers.md. */
  readonly capabilities = { durable: true, shared: true };
  readonly #store: RedisScheduleStore;
  readonly #loops = new DueLoops();
  /** What this process is handing over: id → the attempt under which Redis leases it. */
  readonly #held = new Map<string, number>();
  readonly #leaseKeeper: NodeJS.Timeout;
  readonly #now: () => number;
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly client: RedisClient,
    private readonly options: RedisScheduleOptions,
  ) {
    this.#now = options.now ?? Date.now;
    this.#store = new RedisScheduleStore(client, options.keyPrefix, options.rememberMs);
    // A third of the lease leaves room for an extension that fails.
    this.#leaseKeeper = setInterval(() => void this.#extendLeases(), options.leaseMs / 3);
  }

  static async open(options: RedisScheduleOptions, status: BrokerStatus): Promise<RedisSchedule> {
    return new RedisSchedule(await openRedis(options, status), options);
  }

  async add(message: ScheduledMessage): Promise<void> {
    this.#refuseIfClosed();
    await this.#store.add(message);
    this.#wake(message.dueAt);
  }

  async cancel(id: string): Promise<boolean> {
    this.#refuseIfClosed();
    return this.#store.cancel(id);
  }

  async reschedule(id: string, dueAt: number): Promise<boolean> {
    this.#refuseIfClosed();
    const moved = await this.#store.reschedule(id, dueAt);
    if (moved) this.#wake(dueAt);
    return moved;
  }

  async find(id: string): Promise<ScheduledMessage | undefined> {
    this.#refuseIfClosed();
    return this.#store.find(id);
  }

  async list(query: ScheduleQuery): Promise<SchedulePage> {
    this.#refuseIfClosed();
    return this.#store.page(query);
  }

  async consume(options: { readonly concurrency: number }, handler: DueHandler): Promise<ScheduleConsumer> {
    this.#refuseIfClosed();
    const { pollIntervalMs, retryInitialMs, retryMaxMs, closeTimeoutMs } = this.options;
    const loop = new DueLoop(
      {
        claim: (limit) => this.#claim(limit),
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
    await this.#loops.close();
    clearInterval(this.#leaseKeeper);
    await closeRedis(this.client);
  }

  async #claim(limit: number): Promise<DueBatch> {
    const batch = await this.#store.claim(this.#now(), this.options.leaseMs, limit);
    // A lease that ended while Redis was away comes back here, although its handler is still at work or its settlement is
    // still on the way: the lease is taken on, and the message is not handed over once more.
    const items = batch.items.filter(({ message }) => !this.#held.has(message.id));
    for (const { message, attempt } of batch.items) this.#held.set(message.id, attempt);
    return { ...batch, items };
  }

  async #settle({ message: { id } }: DueItem): Promise<void> {
    await this.#store.settle(id);
    this.#held.delete(id);
  }

  async #release({ message: { id }, attempt }: DueItem, pauseMs: number): Promise<void> {
    await this.#store.release(id, this.#held.get(id) ?? attempt, pauseMs);
    this.#held.delete(id);
    this.#wake(this.#now() + pauseMs);
  }

  async #extendLeases(): Promise<void> {
    if (this.#held.size === 0) return;
    try {
      await this.#store.extend(this.#held, this.options.leaseMs);
    } catch {
      // The status tells; the next turn tries again, as long as the lease lasts.
    }
  }

  #wake(dueAt: number): void {
    this.#loops.wakeIn(dueAt - this.#now());
  }

  #refuseIfClosed(): void {
    if (this.#closed !== undefined) throw new BusClosedError();
  }
}
