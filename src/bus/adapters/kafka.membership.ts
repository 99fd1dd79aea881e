import { type Consumer, type EachBatchPayload, PartitionAssigners } from 'kafkajs';
import type { RecordHandler, SubscribeOptions } from '../bus.port.js';
import { doneWithin } from '../time-limit.js';
import { KafkaCommits } from './kafka.commits.js';
import type { KafkaConnection } from './kafka.connection.js';
import { PartitionLane } from './kafka.lane.js';
import type { Turnstile } from './kafka.turnstile.js';

/** How long the fetch loop waits for a lane that is full before it goes on with the other partitions. */
const PATIENCE_MS = 250;
const LEAVE_TIMEOUT_MS = 3_000;
const REBALANCE = 'rebalance';

/**
 * One membership in a consumer group: one kafkajs consumer from its joining to its end.
 *
 * kafkajs fetches from all partitions, waits until `eachBatch` is done with all of them, and fetches again. Here `eachBatch`
 * only puts the records into their partition's lane; a partition whose lane is full is paused until there is room.
 * Handlers are therefore still at work when the group is dealt anew. So that nobody else gets a partition before that,
 * joining again is put off until they are done and what they did is committed.
 */
export class KafkaMembership {
  readonly #consumer: Consumer;
  readonly #commits: KafkaCommits;
  readonly #lanes = new Map<string, PartitionLane>();
  readonly #inForce = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<Error>();
  /** By topic and partition: where to start when the group has no offset there. */
  #firstOffsets = new Map<string, string>();
  #joining: Promise<void> | undefined;
  #lastPayload: EachBatchPayload | undefined;
  #settled = false;
  #isOver = false;
  #seenAt = Date.now();
  #watch: NodeJS.Timeout | undefined;

  constructor(
    private readonly connection: KafkaConnection,
    private readonly subscription: Required<SubscribeOptions>,
    private readonly handler: RecordHandler,
    private readonly turnstile: Turnstile,
  ) {
    const { fetchBytesPerPartition, fetchWaitMs, rebalanceTimeoutMs, sessionTimeoutMs } = connection.options;
    this.#commits = new KafkaCommits(subscription.group);
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
    if (!this.#isOver) await doneWithin(LEAVE_TIMEOUT_MS, this.#commits.flushed());
    this.#end(new Error('it was asked to leave'));
    // A consumer that is stopped while it starts would start all the same.
    await doneWithin(LEAVE_TIMEOUT_MS, Promise.allSettled([this.#joining]));
    this.#dropLanes();
    await doneWithin(LEAVE_TIMEOUT_MS, Promise.allSettled([this.#consumer.disconnect()]));
  }

  async #join(): Promise<void> {
    const { topics, from, concurrency } = this.subscription;
    for (const topic of topics) await this.connection.ensureTopic(topic);
    this.#firstOffsets = await this.#findFirstOffsets();
    if (this.#isOver) return;
    this.#listen();
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: from === 'earliest' });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: concurrency,
      eachBatch: (payload) => this.#take(payload),
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
    this.turnstile.shut(REBALANCE);
    if (this.turnstile.isEmpty && !this.#commits.isPending) return true;
    // Nothing else tells the coordinator meanwhile that this member is alive. It answers that a rebalance is due, as is known.
    this.#lastPayload?.heartbeat().catch(() => {});
    return false;
  }

  #listen(): void {
    const { CRASH, FETCH, GROUP_JOIN } = this.#consumer.events;
    this.#consumer.on(CRASH, ({ payload }) => this.#end(payload.error));
    let hasJoined = false;
    this.#consumer.on(GROUP_JOIN, () => {
      this.#seenAt = Date.now();
      if (hasJoined) this.subscription.onRebalance();
      hasJoined = true;
      // kafkajs starts again from what is committed, and so do the lanes.
      this.#dropLanes();
    });
    this.#consumer.on(FETCH, () => {
      this.#seenAt = Date.now();
      if (!this.#settled) void this.#settle();
    });
    const { rebalanceTimeoutMs, sessionTimeoutMs } = this.connection.options;
    const longestSilenceMs = rebalanceTimeoutMs + 2 * sessionTimeoutMs;
    this.#watch = setInterval(() => {
      const silenceMs = Date.now() - this.#seenAt;
      if (silenceMs > longestSilenceMs) this.#end(new Error(`it was silent for ${silenceMs} ms`));
    }, sessionTimeoutMs);
  }

  /** After each joining, once kafkajs knows where it reads on: records may be handled from here on. */
  async #settle(): Promise<void> {
    this.#settled = true;
    try {
      await this.#commitFirstOffsets();
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    // Unless the group is being dealt anew already.
    if (!this.#settled) return;
    this.turnstile.open(REBALANCE);
    this.#inForce.resolve();
  }

  #end(reason: Error): void {
    this.#isOver = true;
    this.#ended.resolve(reason);
  }

  async #findFirstOffsets(): Promise<Map<string, string>> {
    const { admin } = await this.connection.link();
    const { topics, from } = this.subscription;
    const offsets = new Map<string, string>();
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        offsets.set(placeOf(topic, partition), from === 'earliest' ? low : high);
      }
    }
    return offsets;
  }

  /**
   * Makes Kafka remember where the group began. Otherwise a group that dies before its first record begins anew
   * later, and what was published meanwhile is lost. The offsets were read before joining, so none is skipped.
   */
  async #commitFirstOffsets(): Promise<void> {
    const { group, topics } = this.subscription;
    const { admin } = await this.connection.link();
    const known = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
    const first = known.flatMap(({ topic, partitions }) =>
      partitions
        .filter(({ offset }) => offset === '-1')
        .map(({ partition }) => ({
          topic,
          partition,
          offset: this.#firstOffsets.get(placeOf(topic, partition)) ?? '0',
        })),
    );
    if (first.length > 0) await this.#consumer.commitOffsets(first);
  }

  async #take(payload: EachBatchPayload): Promise<void> {
    if (!payload.isRunning() || payload.isStale()) return;
    this.#lastPayload = payload;
    const { topic, partition, messages } = payload.batch;
    const lane = this.#laneOf(topic, partition);
    lane.push(messages);
    // Moves on where kafkajs fetches next; what is handled is committed apart from that.
    payload.resolveOffset(messages.at(-1)?.offset ?? payload.batch.lastOffset());
    if (!lane.isFull || (await doneWithin(PATIENCE_MS, lane.room()))) return;
    const place = [{ topic, partitions: [partition] }];
    this.#consumer.pause(place);
    // A partition that was dropped meanwhile is resumed as well: it may be dealt to us again.
    void lane.room().then(() => this.#consumer.resume(place));
  }

  #laneOf(topic: string, partition: number): PartitionLane {
    const place = placeOf(topic, partition);
    let lane = this.#lanes.get(place);
    if (lane === undefined) {
      const { group, maxBatchSize } = this.subscription;
      const { handler, turnstile } = this;
      const { options } = this.connection;
      const onHandled = this.#onHandled;
      lane = new PartitionLane(
        { group, handler, maxBatchSize, turnstile, options, onHandled },
        topic,
        partition,
      );
      this.#lanes.set(place, lane);
    }
    return lane;
  }

  readonly #onHandled = (lane: PartitionLane, offset: string): void => {
    const payload = this.#lastPayload;
    if (payload === undefined || lane.isDropped) return;
    this.#commits.mark(lane.topic, lane.partition, offset, (offsets) =>
      payload.commitOffsetsIfNecessary(offsets),
    );
  };

  #dropLanes(): void {
    for (const lane of this.#lanes.values()) lane.drop();
    this.#lanes.clear();
    this.#commits.forget();
  }
}

/** In the words of the protocol, so that kafkajs tries to join again a little later. */
class HandoverPending extends Error {
  readonly type = 'REBALANCE_IN_PROGRESS';

  constructor() {
    super('handlers of the former generation are at work');
  }
}

function placeOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
