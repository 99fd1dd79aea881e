import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { RedisClient } from '../../../../redis/index.js';
import type { BusSubscription, RecordHandler, SubscribeOptions } from '../../../bus.port.js';
import { PartitionsDifferError } from '../../../bus.errors.js';
import { settlesWithin, Semaphore } from '../../../../async/index.js';
import type { Watch } from './stream-notifier.js';
import { RedisAssignment, type WorkerNumber } from './assignment.js';
import type { Exchanges } from './read-ack-batcher.js';
import { PartitionLane } from './partition-worker.js';
import type { RedisStreamsOptions } from '../redis.options.js';
import type { PartitionCounts } from './partition-counts.js';
import type { StreamKeys, StreamPartition } from './partition.js';
import { createGroup } from './stream-scripts.js';

const PAUSED = 'paused';

/** What the subscriptions of one bus have in common. */
export interface SubscriptionContext {
  readonly client: RedisClient;
  readonly exchanges: Exchanges;
  readonly keys: StreamKeys;
  readonly counts: PartitionCounts;
  readonly streams: RedisStreamsOptions;
  readonly worker: WorkerNumber | undefined;
  readonly watch: (partition: StreamPartition) => Watch;
  /** So many records of the partition were acknowledged. */
  readonly onAcknowledged: (partition: StreamPartition, count: number) => void;
}

/** Others who are there, and have no handler at work, let go within two; who died holds on for the length of a lease. */
const PATIENCE_IN_HEARTBEATS = 5;

/** A member of a group: beats for as long as it is open, and reads the partitions that it has meanwhile. */
export class RedisSubscription implements BusSubscription {
  readonly #logger = new Logger('RedisBus');
  readonly #assignments: readonly RedisAssignment[];
  readonly #semaphore: Semaphore;
  readonly #opened = Promise.withResolvers<void>();
  readonly #closing = new AbortController();
  readonly #beating: Promise<void>;
  #closed: Promise<void> | undefined;

  /** @param member its name, which nobody else has */
  constructor(
    private readonly context: SubscriptionContext,
    private readonly options: SubscribeOptions,
    member: string,
    handler: RecordHandler,
  ) {
    const { client, exchanges, keys, streams, worker } = context;
    const { group, topics, maxBatchSize = 1, concurrency = 1 } = options;
    this.#semaphore = new Semaphore(concurrency);
    const lanes = {
      group,
      handler,
      maxBatchSize,
      semaphore: this.#semaphore,
      options: streams,
      onAcknowledged: context.onAcknowledged,
    };
    const holder = { client, exchanges, group, member, leaseMs: streams.leaseMs };
    this.#assignments = [...new Set(topics)].map(
      (topic) =>
        new RedisAssignment(
          topic,
          keys,
          holder,
          worker,
          (lease) => new PartitionLane(lanes, lease, context.watch(lease.partition)),
        ),
    );
    this.#beating = this.#beat();
  }

  /**
   * Resolves when this member has its share of the partitions, or cannot have it at once: Redis does not answer, or
   * others do not let go of them. It gets them then when it can; what is published meanwhile waits for it.
   *
   * @throws {PartitionsDifferError}
   */
  async opened(): Promise<void> {
    await settlesWithin(
      PATIENCE_IN_HEARTBEATS * this.context.streams.heartbeatIntervalMs,
      this.#opened.promise,
    );
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

  async #beat(): Promise<void> {
    const { heartbeatIntervalMs } = this.context.streams;
    const { signal } = this.#closing;
    let failed = false;
    let held: string | undefined;
    for (let groupsExist = false; this.#closed === undefined;) {
      try {
        if (!groupsExist) await this.#createGroups();
        groupsExist = true;
        const settled = await Promise.all(this.#assignments.map((assignment) => assignment.beat()));
        failed = false;
        const holds = this.#assignments.map((assignment) => assignment.held.join()).join(';');
        if (held !== undefined && holds !== held) this.options.onRebalance?.();
        if (settled.every(Boolean)) this.#opened.resolve();
        // The first partitions are not dealt anew.
        if (held !== undefined || settled.every(Boolean)) held = holds;
      } catch (error) {
        if (!failed)
          this.#logger.warn(`group ${this.options.group} is without this member: ${String(error)}`);
        failed = true;
        if (error instanceof PartitionsDifferError) this.#opened.reject(error);
        else this.#opened.resolve();
      }
      await delay(heartbeatIntervalMs, undefined, { signal }).catch(() => {});
    }
  }

  async #leave(): Promise<void> {
    const { drainTimeoutMs, heartbeatIntervalMs } = this.context.streams;
    this.#closing.abort();
    await this.#beating;
    const left = Promise.all(this.#assignments.map((assignment) => assignment.leave()));
    // Handlers that finish their work are still alone with it.
    const keeping = setInterval(() => {
      for (const assignment of this.#assignments) assignment.keep().catch(() => {});
    }, heartbeatIntervalMs);
    if (!(await settlesWithin(drainTimeoutMs, left))) {
      this.#logger.warn(`group ${this.options.group}: a handler is still at work after ${drainTimeoutMs} ms`);
    }
    clearInterval(keeping);
    this.#opened.resolve();
  }

  /** In every partition, also those that others read: from here on Redis keeps records for the group. */
  async #createGroups(): Promise<void> {
    const { client, keys, counts } = this.context;
    const { group, topics, from = 'latest' } = this.options;
    await Promise.all(topics.map((topic) => counts.confirm(topic)));
    const start = from === 'earliest' ? '0' : '$';
    const partitions = topics.flatMap((topic) => keys.partitionsOf(topic));
    await Promise.all(partitions.map(({ stream }) => createGroup.run(client, [stream], [group, start])));
  }
}
