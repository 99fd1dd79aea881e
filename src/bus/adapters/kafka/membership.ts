import { type Consumer, PartitionAssigners } from 'kafkajs';
import type { RecordHandler, SubscribeOptions } from '../../bus.port.js';
import { settlesWithin, type Semaphore } from '../../../async/index.js';
import type { KafkaConnection } from './connection.js';
import { answerOf } from './kafka.errors.js';
import { FirstOffsets } from './first-offsets.js';
import { PartitionWorkers } from './partition-workers.js';
import { SessionLiveness } from './group-membership.js';

const LEAVE_TIMEOUT_MS = 3_000;
const REBALANCE = 'rebalance';

/**
 * One membership in a consumer group: one kafkajs consumer from its joining to its end.
 *
 * Handlers work apart from kafkajs's fetch loop, in lanes, and so are still at work when the group is dealt anew. So that
 * nobody else gets a partition before that, joining again is put off until they are done and what they did is committed.
 */
export class KafkaMembership {
  readonly #consumer: Consumer;
  readonly #lanes: PartitionWorkers;
  readonly #standing: SessionLiveness;
  readonly #firstOffsets: FirstOffsets;
  readonly #inForce = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<Error>();
  #joining: Promise<void> | undefined;
  #settled = false;
  #isOver = false;
  #watch: NodeJS.Timeout | undefined;

  constructor(
    private readonly connection: KafkaConnection,
    private readonly subscription: Required<SubscribeOptions>,
    handler: RecordHandler,
    private readonly semaphore: Semaphore,
  ) {
    const { options } = connection;
    const { fetchBytesPerPartition, fetchWaitMs, rebalanceTimeoutMs, sessionTimeoutMs } = options;
    this.#consumer = connection.client().consumer({
      groupId: subscription.group,
      allowAutoTopicCreation: false,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.floor(sessionTimeoutMs / 4),
      rebalanceTimeout: rebalanceTimeoutMs,
      maxWaitTimeInMs: fetchWaitMs,
      maxBytesPerPartition: fetchBytesPerPartition,
      partitionAssigners: [this.#assigner],
      // Long enough for a handler to finish before the group goes on without this member. Restarts are ours: kafkajs gives
      // up for good after an error that it takes for permanent.
      retry: {
        initialRetryTime: 50,
        maxRetryTime: 500,
        retries: Math.ceil(rebalanceTimeoutMs / 500) + 5,
        restartOnFailure: () => Promise.resolve(false),
      },
    });
    this.#standing = new SessionLiveness(sessionTimeoutMs);
    this.#standing.follow(this.#consumer);
    const { group, maxBatchSize } = subscription;
    const standing = this.#standing;
    this.#lanes = new PartitionWorkers(this.#consumer, {
      group,
      handler,
      maxBatchSize,
      semaphore,
      standing,
      options,
    });
    this.#firstOffsets = new FirstOffsets(connection, subscription);
  }

  /** Resolves with the reason when the membership is over though nobody asked for it. */
  get ended(): Promise<Error> {
    return this.#ended.promise;
  }

  /** Resolves when what is published from now on will be received. */
  join(): Promise<void> {
    this.#joining = this.#join();
    return this.#joining;
  }

  /** Gives the partitions back, once the handlers are done. */
  async leave(): Promise<void> {
    clearInterval(this.#watch);
    if (!this.#isOver) await settlesWithin(LEAVE_TIMEOUT_MS, this.#lanes.flushed());
    this.#end(new Error('it was asked to leave'));
    // A consumer that is stopped while it starts would start all the same.
    await settlesWithin(LEAVE_TIMEOUT_MS, Promise.allSettled([this.#joining]));
    this.#lanes.drop();
    await settlesWithin(LEAVE_TIMEOUT_MS, Promise.allSettled([this.#consumer.disconnect()]));
  }

  async #join(): Promise<void> {
    const { topics, from, concurrency } = this.subscription;
    for (const topic of topics) await this.connection.ensureTopic(topic);
    await this.#firstOffsets.find();
    if (this.#isOver) return;
    this.#listen();
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: from === 'earliest' });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: concurrency,
      eachBatch: (payload) => this.#lanes.take(payload),
    });
    const failed = this.ended.then((reason) => Promise.reject(reason));
    await Promise.race([this.#inForce.promise, failed]);
  }

  readonly #assigner: typeof PartitionAssigners.roundRobin = (config) => {
    const roundRobin = PartitionAssigners.roundRobin(config);
    return {
      ...roundRobin,
      protocol: (subscription) => {
        if (!this.#mayJoin()) throw new HandoverPending();
        return roundRobin.protocol(subscription);
      },
    };
  };

  #mayJoin(): boolean {
    this.#settled = false;
    this.semaphore.pause(REBALANCE);
    if (this.semaphore.isIdle && !this.#lanes.isCommitting) return true;
    // Nothing else tells the coordinator meanwhile that this member is alive.
    this.#lanes.beat();
    return false;
  }

  #listen(): void {
    const { CRASH, FETCH, GROUP_JOIN } = this.#consumer.events;
    this.#consumer.on(CRASH, ({ payload }) => this.#end(payload.error));
    let hasJoined = false;
    this.#consumer.on(GROUP_JOIN, () => {
      if (hasJoined) this.subscription.onRebalance();
      hasJoined = true;
      // kafkajs starts again from what is committed, and so do the lanes.
      this.#lanes.drop();
    });
    this.#consumer.on(FETCH, () => {
      if (!this.#settled) void this.#settle();
    });
    const { rebalanceTimeoutMs, sessionTimeoutMs } = this.connection.options;
    const longestSilenceMs = rebalanceTimeoutMs + 2 * sessionTimeoutMs;
    this.#watch = setInterval(() => {
      const { silenceMs } = this.#standing;
      if (silenceMs > longestSilenceMs)
        this.#end(new Error(`the coordinator was silent for ${Math.round(silenceMs)} ms`));
      else void this.#lookForTopics();
    }, sessionTimeoutMs);
  }

  /** Of a topic that was deleted, kafkajs asks for the leaders again and again, and reads none of the others meanwhile. */
  async #lookForTopics(): Promise<void> {
    try {
      const { admin } = await this.connection.link();
      await admin.fetchTopicMetadata({ topics: [...this.subscription.topics] });
    } catch (error) {
      if (answerOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') this.#end(new Error('a topic was deleted'));
    }
  }

  /** After each joining, once kafkajs knows where it reads on: records may be handled from here on. */
  async #settle(): Promise<void> {
    this.#settled = true;
    try {
      await this.#firstOffsets.commit(this.#consumer);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    // Unless the group is being dealt anew already.
    if (!this.#settled) return;
    this.semaphore.resume(REBALANCE);
    this.#inForce.resolve();
  }

  #end(reason: Error): void {
    this.#isOver = true;
    this.#ended.resolve(reason);
  }
}

/** In the words of the protocol, so that kafkajs tries to join again a little later. */
class HandoverPending extends Error {
  readonly type = 'REBALANCE_IN_PROGRESS';

  constructor() {
    super('handlers of the former generation are at work');
  }
}
