import { type Consumer, PartitionAssigners } from 'kafkajs';
import type { RecordHandler, SubscribeOptions } from '../../bus.port.js';
import { every, inBackground, type Semaphore, settlesWithin } from '../../../async/index.js';
import type { KafkaConnection } from './connection.js';
import { InitialOffsets } from './initial-offsets.js';
import { errorTypeOf } from './kafka.errors.js';
import { PartitionWorkers } from './partition-workers.js';
import { SessionLiveness } from './session-liveness.js';

const LEAVE_TIMEOUT_MS = 3_000;
const REBALANCE = 'rebalance';

/**
 * One membership in a consumer group: one kafkajs consumer, from its join to its end.
 *
 * Handlers run in partition workers, independently of kafkajs's fetch loop, so they may still run when a rebalance starts. This
 * member rejoins only after they have finished and their offsets are committed, so that no other member gets a partition
 * whose records are still being handled.
 */
export class KafkaGroupMembership {
  readonly #consumer: Consumer;
  readonly #workers: PartitionWorkers;
  readonly #session: SessionLiveness;
  readonly #initialOffsets: InitialOffsets;
  readonly #inForce = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<Error>();
  #joining: Promise<void> | undefined;
  /** Records of the current generation may be handled. */
  #isSettled = false;
  #isOver = false;
  /** By topic. */
  #assignment: Readonly<Record<string, readonly number[]>> = {};
  #watch: NodeJS.Timeout | undefined;

  constructor(
    private readonly connection: KafkaConnection,
    private readonly subscription: Required<Omit<SubscribeOptions, 'restartDelayMs'>>,
    handler: RecordHandler,
    private readonly semaphore: Semaphore,
  ) {
    const { options } = connection;
    const { group, maxBatchSize } = subscription;
    this.#consumer = this.#createConsumer();
    const session = new SessionLiveness(options.sessionTimeoutMs);
    session.follow(this.#consumer);
    this.#session = session;
    const context = { group, handler, maxBatchSize, semaphore, session, options };
    this.#workers = new PartitionWorkers(this.#consumer, context);
    this.#initialOffsets = new InitialOffsets(connection, subscription);
  }

  /** Resolves with the reason when the membership has ended. */
  get ended(): Promise<Error> {
    return this.#ended.promise;
  }

  isAssigned(topic: string, partition: number): boolean {
    return this.#assignment[topic]?.includes(partition) === true;
  }

  /** Resolves when records that are published from now on will be received. */
  join(): Promise<void> {
    this.#joining = this.#join();
    return this.#joining;
  }

  /** Releases the partitions after the handlers have finished. */
  async leave(): Promise<void> {
    clearInterval(this.#watch);
    if (!this.#isOver) await settlesWithin(LEAVE_TIMEOUT_MS, this.#workers.flushed());
    this.#end(new Error('it was asked to leave'));
    // If a consumer is stopped while it starts, kafkajs starts it all the same.
    await settlesWithin(LEAVE_TIMEOUT_MS, Promise.allSettled([this.#joining]));
    this.#workers.stop();
    await settlesWithin(LEAVE_TIMEOUT_MS, Promise.allSettled([this.#consumer.disconnect()]));
  }

  #createConsumer(): Consumer {
    const { fetchBytesPerPartition, fetchWaitMs, rebalanceTimeoutMs, sessionTimeoutMs } =
      this.connection.options;
    return this.connection.client().consumer({
      groupId: this.subscription.group,
      allowAutoTopicCreation: false,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.floor(sessionTimeoutMs / 4),
      rebalanceTimeout: rebalanceTimeoutMs,
      maxWaitTimeInMs: fetchWaitMs,
      maxBytesPerPartition: fetchBytesPerPartition,
      partitionAssigners: [this.#assigner],
      // Enough retries for a handler to finish before the group continues without this member. KafkaSubscription restarts the
      // consumer, because kafkajs stops permanently after an error that it considers permanent.
      retry: {
        initialRetryTime: 50,
        maxRetryTime: 500,
        retries: Math.ceil(rebalanceTimeoutMs / 500) + 5,
        restartOnFailure: () => Promise.resolve(false),
      },
    });
  }

  async #join(): Promise<void> {
    const { topics, from, concurrency } = this.subscription;
    await Promise.all(topics.map((topic) => this.connection.topics.ensure(topic)));
    await this.#initialOffsets.read();
    if (this.#isOver) return;
    this.#listen();
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: from === 'earliest' });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: concurrency,
      eachBatch: (payload) => this.#workers.take(payload),
    });
    const failed = this.ended.then((reason) => Promise.reject(reason));
    await Promise.race([this.#inForce.promise, failed]);
  }

  readonly #assigner: typeof PartitionAssigners.roundRobin = (config) => {
    const roundRobin = PartitionAssigners.roundRobin(config);
    return {
      ...roundRobin,
      protocol: (subscription) => {
        if (!this.#mayJoin()) throw new HandlersStillRunningError();
        return roundRobin.protocol(subscription);
      },
    };
  };

  #mayJoin(): boolean {
    this.#isSettled = false;
    this.semaphore.pause(REBALANCE);
    if (this.semaphore.isIdle && !this.#workers.isCommitting) return true;
    // kafkajs sends no heartbeats while the member waits to join.
    this.#workers.sendHeartbeat();
    return false;
  }

  #listen(): void {
    const { CRASH, FETCH, GROUP_JOIN } = this.#consumer.events;
    this.#consumer.on(CRASH, ({ payload }) => this.#end(payload.error));
    let hasJoined = false;
    this.#consumer.on(GROUP_JOIN, ({ payload: { memberAssignment } }) => {
      this.#assignment = memberAssignment;
      if (hasJoined) this.subscription.onRebalance();
      hasJoined = true;
      // kafkajs fetches again from the committed offsets, so the workers discard what they hold.
      this.#workers.stop();
    });
    this.#consumer.on(FETCH, () => {
      if (!this.#isSettled) inBackground('start of a group member', () => this.#settle());
    });
    const { rebalanceTimeoutMs, sessionTimeoutMs } = this.connection.options;
    const longestSilenceMs = rebalanceTimeoutMs + 2 * sessionTimeoutMs;
    this.#watch = every('check of a group member', sessionTimeoutMs, async () => {
      const { silenceMs } = this.#session;
      if (silenceMs > longestSilenceMs)
        this.#end(new Error(`the group coordinator has not responded for ${Math.round(silenceMs)} ms`));
      else await this.#checkTopics();
    });
  }

  /** If a topic was deleted, kafkajs asks for its leaders forever and reads no other topic in the meantime. */
  async #checkTopics(): Promise<void> {
    try {
      const { admin } = await this.connection.link();
      await admin.fetchTopicMetadata({ topics: [...this.subscription.topics] });
    } catch (error) {
      if (errorTypeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') this.#end(new Error('a topic was deleted'));
    }
  }

  /** Runs after each join, once kafkajs knows where it continues to read. From then on records may be handled. */
  async #settle(): Promise<void> {
    this.#isSettled = true;
    try {
      await this.#initialOffsets.commit(this.#consumer);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    // The next rebalance may have started in the meantime.
    if (!this.#isSettled) return;
    this.semaphore.resume(REBALANCE);
    this.#inForce.resolve();
  }

  #end(reason: Error): void {
    this.#isOver = true;
    this.#ended.resolve(reason);
  }
}

/** It has the type of a protocol error that kafkajs retries, so that kafkajs tries to join again shortly afterwards. */
class HandlersStillRunningError extends Error {
  readonly type = 'REBALANCE_IN_PROGRESS';

  constructor() {
    super('handlers of the previous generation are still running');
  }
}
