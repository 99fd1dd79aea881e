import { Logger } from '@nestjs/common';
import { CancellableSleep, every, Semaphore, settlesWithin } from '../../../../async/index.js';
import type { RedisClient } from '../../../../redis/index.js';
import { PartitionsDifferError } from '../../../bus.errors.js';
import type {
  BusSubscription,
  RecordHandler,
  SubscribeOptions,
  SubscriptionObserver,
} from '../../../bus.port.js';
import { RepeatedWork } from '../../../progress-reports.js';
import type { RedisStreamsOptions } from '../redis.options.js';
import { PartitionAssignment, type WorkerNumber } from './assignment.js';
import type { PartitionCounts } from './partition-counts.js';
import { PartitionWorker } from './partition-worker.js';
import type { ReadAckBatcher } from './read-ack-batcher.js';
import type { StreamKeys, StreamPartition } from './stream-keys.js';
import type { StreamWatch } from './stream-notifier.js';
import { createGroup } from './stream-scripts.js';

const PAUSED = 'paused';

/** The objects that the subscriptions of one bus share. */
export interface SubscriptionContext {
  readonly client: RedisClient;
  readonly batcher: ReadAckBatcher;
  readonly keys: StreamKeys;
  readonly counts: PartitionCounts;
  readonly streams: RedisStreamsOptions;
  readonly worker: WorkerNumber | undefined;
  readonly watch: (partition: StreamPartition) => StreamWatch;
  /** Called with the number of records of the partition that were acknowledged. */
  readonly onAcknowledged: (partition: StreamPartition, count: number) => void;
}

/**
 * Members whose handlers are idle release partitions within two heartbeats. The lease of a dead member has to expire.
 */
const MAX_HEARTBEATS_TO_OPEN = 5;

/** A member of a group. It sends heartbeats until it is closed, and reads the partitions that it owns at the time. */
export class RedisSubscription implements BusSubscription {
  readonly #logger = new Logger('RedisBus');
  readonly #assignments: readonly PartitionAssignment[];
  readonly #semaphore: Semaphore;
  readonly #opened = Promise.withResolvers<void>();
  readonly #pauses = new CancellableSleep();
  readonly #running: Promise<void>;
  #closed: Promise<void> | undefined;

  /** @param member unique name of the member */
  constructor(
    private readonly context: SubscriptionContext,
    private readonly options: SubscribeOptions,
    member: string,
    handler: RecordHandler,
  ) {
    const { client, batcher, keys, streams, worker } = context;
    const { group, topics, maxBatchSize = 1, concurrency = 1, progress } = options;
    this.#semaphore = new Semaphore(concurrency);
    const workers = {
      group,
      handler,
      maxBatchSize,
      semaphore: this.#semaphore,
      options: streams,
      progress,
      onAcknowledged: context.onAcknowledged,
    };
    const holder = { client, batcher, group, member, leaseMs: streams.leaseMs };
    this.#assignments = [...new Set(topics)].map(
      (topic) =>
        new PartitionAssignment(
          topic,
          keys,
          holder,
          worker,
          (lease) => new PartitionWorker(workers, lease, context.watch(lease.partition)),
        ),
    );
    this.#running = this.#run();
  }

  /**
   * Resolves when this member has its share of the partitions, or when it cannot have it at once because Redis is
   * unavailable or other members do not release partitions. In that case it gets them as soon as possible, and reads
   * what was published in the meantime.
   *
   * @throws {PartitionsDifferError}
   */
  async opened(): Promise<void> {
    await settlesWithin(
      MAX_HEARTBEATS_TO_OPEN * this.context.streams.heartbeatIntervalMs,
      this.#opened.promise,
    );
  }

  get group(): string {
    return this.options.group;
  }

  /** Whether this member reads the partition at the moment. */
  isAssigned(partition: StreamPartition): boolean {
    return this.#assignments.some((assignment) => assignment.isOwned(partition));
  }

  pause(): void {
    this.#semaphore.pause(PAUSED);
  }

  resume(): void {
    this.#semaphore.resume(PAUSED);
  }

  close(): Promise<void> {
    this.#closed ??= this.#leave();
    return this.#closed;
  }

  async #run(): Promise<void> {
    const { progress, group } = this.options;
    const heartbeats = new RepeatedWork(progress, `heartbeat of the consumer group ${group}`);
    let failed = false;
    let succeededAt = -Infinity;
    let formerlyOwned: string | undefined;
    for (let groupsExist = false; this.#closed === undefined;) {
      try {
        if (!groupsExist) await this.#createGroups();
        groupsExist = true;
        const complete = await Promise.all(this.#assignments.map((assignment) => assignment.heartbeat()));
        heartbeats.succeeded();
        failed = false;
        succeededAt = performance.now();
        this.#observe((observer) => observer.inForce());
        const owned = this.#assignments.map((assignment) => assignment.owned.join()).join(';');
        if (formerlyOwned !== undefined && owned !== formerlyOwned) this.options.onRebalance?.();
        if (complete.every(Boolean)) this.#opened.resolve();
        // To get the first partitions is not a rebalance.
        if (formerlyOwned !== undefined || complete.every(Boolean)) formerlyOwned = owned;
      } catch (error) {
        heartbeats.failed(error);
        if (!failed) this.#logFailure(error);
        failed = true;
        this.#observe((observer) => observer.failed(error instanceof Error ? error.message : String(error)));
        if (error instanceof PartitionsDifferError) this.#opened.reject(error);
        else this.#opened.resolve();
      }
      await this.#pauses.sleep(this.#pauseMs(failed, succeededAt));
    }
  }

  #observe(report: (observer: SubscriptionObserver) => void): void {
    const { observer } = this.options;
    if (observer !== undefined && this.#closed === undefined) report(observer);
  }

  /** While its leases may be valid, a member tries to keep them. After that it has left the group, and starts again. */
  #pauseMs(failed: boolean, succeededAt: number): number {
    const { heartbeatIntervalMs, leaseMs } = this.context.streams;
    const isMember = performance.now() - succeededAt < leaseMs;
    return failed && !isMember ? (this.options.restartDelayMs ?? heartbeatIntervalMs) : heartbeatIntervalMs;
  }

  #logFailure(error: unknown): void {
    this.#logger.warn(
      `Redis consumer group ${this.options.group}: heartbeat failed, retrying; this process reads nothing ` +
        `once its leases have expired: ${String(error)}`,
    );
  }

  async #leave(): Promise<void> {
    const { drainTimeoutMs, heartbeatIntervalMs } = this.context.streams;
    this.#pauses.cancel();
    await this.#running;
    const left = Promise.all(this.#assignments.map((assignment) => assignment.leave()));
    // Handlers that are finishing their work must remain the only owners of their partitions.
    const extension = every('extension of the leases of partitions', heartbeatIntervalMs, () => {
      for (const assignment of this.#assignments) assignment.extendLeases().catch(() => {});
    });
    if (!(await settlesWithin(drainTimeoutMs, left))) {
      this.#logger.warn(
        `Redis consumer group ${this.options.group}: a handler has not finished within ${drainTimeoutMs} ms of the ` +
          'shutdown; its records will be delivered again',
      );
    }
    clearInterval(extension);
    this.#opened.resolve();
  }

  /**
   * Creates the group in all partitions, also in those of other members: from then on Redis keeps records for the
   * group.
   */
  async #createGroups(): Promise<void> {
    const { client, keys, counts } = this.context;
    const { group, topics, from = 'latest' } = this.options;
    await Promise.all(topics.map((topic) => counts.confirm(topic)));
    const start = from === 'earliest' ? '0' : '$';
    const partitions = topics.flatMap((topic) => keys.partitionsOf(topic));
    await Promise.all(partitions.map(({ stream }) => createGroup.run(client, [stream], [group, start])));
  }
}
