import { Logger } from '@nestjs/common';
import type {
  BusSubscription,
  ProgressReporter,
  RecordHandler,
  SubscribeOptions,
  SubscriptionObserver,
} from '../../bus.port.js';
import { backoffMs, pause, Semaphore, settlesWithin } from '../../../async/index.js';
import type { KafkaConnection } from './connection.js';
import { KafkaGroupMembership } from './group-membership.js';
import { reasonOf } from './kafka.errors.js';
import { MembershipProgress } from '../../progress-reports.js';

const REJOIN_INITIAL_DELAY_MS = 250;
const REJOIN_MAX_DELAY_MS = 5_000;

const PAUSED = 'paused';

const noProgressReporter: ProgressReporter = { blocked() {}, unblocked() {} };
const noObserver: SubscriptionObserver = { inForce() {}, failed() {} };

export type KafkaSubscribeOptions = Required<Omit<SubscribeOptions, 'restartDelayMs'>> &
  Pick<SubscribeOptions, 'restartDelayMs'>;

/** Keeps a membership in a consumer group until it is closed: when a membership ends, it starts another one. */
export class KafkaSubscription implements BusSubscription {
  readonly #logger = new Logger('KafkaBus');
  /** Resolves when the subscription is closed. */
  readonly closed: Promise<void>;
  readonly #semaphore: Semaphore;
  readonly #subscription: KafkaSubscribeOptions;
  readonly #unfollow: () => void;
  #isJoined = false;
  readonly #opened = Promise.withResolvers<void>();
  readonly #closing = new AbortController();
  readonly #progress: MembershipProgress;
  #membership: KafkaGroupMembership | undefined;
  /** Number of memberships that ended since the last one that was stable. */
  #failures = 0;

  constructor(
    private readonly connection: KafkaConnection,
    options: SubscribeOptions,
    private readonly handler: RecordHandler,
  ) {
    this.#subscription = {
      maxBatchSize: 1,
      concurrency: 1,
      from: 'latest',
      onRebalance: () => {},
      progress: noProgressReporter,
      observer: noObserver,
      ...options,
    };
    this.#unfollow = connection.follow((failure) => this.#connectionChanged(failure));
    this.#semaphore = new Semaphore(this.#subscription.concurrency);
    const { progress, group } = this.#subscription;
    const membership = `membership in the consumer group ${group}`;
    this.#progress = new MembershipProgress(progress, membership, () => (this.#failures = 0));
    this.closed = this.#stayJoined();
  }

  /**
   * Resolves when the subscription is in force, or when the brokers are known to be unavailable or to refuse it. In the latter
   * case it comes into force as soon as they accept it.
   */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get group(): string {
    return this.#subscription.group;
  }

  /** Whether this member reads the partition, as of its last join. */
  isAssigned(topic: string, partition: number): boolean {
    return this.#membership?.isAssigned(topic, partition) === true;
  }

  pause(): void {
    this.#semaphore.pause(PAUSED);
  }

  resume(): void {
    this.#semaphore.resume(PAUSED);
  }

  async close(): Promise<void> {
    this.#semaphore.close();
    this.#closing.abort();
    this.#unfollow();
    await this.closed;
  }

  /** kafkajs joins again by itself after a short outage. */
  #connectionChanged(failure: string | undefined): void {
    if (!this.#isJoined || this.#closing.signal.aborted) return;
    const { observer } = this.#subscription;
    if (failure === undefined) observer.inForce();
    else observer.failed(failure);
  }

  async #stayJoined(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const membership = new KafkaGroupMembership(
        this.connection,
        this.#subscription,
        this.handler,
        this.#semaphore,
      );
      this.#membership = membership;
      try {
        await this.#unlessClosing(membership.join());
        this.#opened.resolve();
        this.#progress.began();
        this.#isJoined = true;
        if (!this.#closing.signal.aborted) this.#subscription.observer.inForce();
        const reason = await this.#unlessClosing(membership.ended);
        if (reason !== undefined) throw reason;
      } catch (error) {
        this.#isJoined = false;
        this.#onFailure(error, ++this.#failures);
      }
      this.#progress.close();
      await this.#end(membership);
      if (this.#failures > 0) await pause(this.#pauseMs, this.#closing.signal);
    }
    this.#opened.resolve();
  }

  /** Waits for the handlers of this membership, so that they do not overlap with those of the next one. */
  async #end(membership: KafkaGroupMembership): Promise<void> {
    const { drainTimeoutMs } = this.connection.options;
    if (!(await settlesWithin(drainTimeoutMs, this.#semaphore.idle()))) {
      this.#logger.warn(
        `Kafka consumer group ${this.#subscription.group}: a handler is still running after ${drainTimeoutMs} ms, ` +
          'its records will be delivered again',
      );
    }
    await membership.leave();
  }

  #onFailure(error: unknown, failures: number): void {
    // A single failure may come from a group coordinator that is just starting.
    if (this.connection.isDown || failures > 2) this.#opened.resolve();
    const { group, topics } = this.#subscription;
    // The connection reports brokers that cannot be reached.
    if (this.connection.isDown) this.#progress.disconnected();
    else this.#progress.ended(reasonOf(error));
    const text =
      `Kafka consumer group ${group}: this member is not in the group, ` +
      `joining again in ${this.#pauseMs} ms: ${reasonOf(error)}`;
    if (failures === 1) this.#logger.warn(text);
    else this.#logger.debug(text);
    this.#subscription.observer.failed(reasonOf(error));
    // If a topic was deleted, it has to be created again.
    for (const topic of topics) this.connection.topics.forget(topic);
  }

  get #pauseMs(): number {
    const { restartDelayMs } = this.#subscription;
    return restartDelayMs ?? backoffMs(this.#failures, REJOIN_INITIAL_DELAY_MS, REJOIN_MAX_DELAY_MS);
  }

  /**
   * Resolves or rejects as `work` does, or resolves to undefined when `close` is called first. It does not race with one shared
   * promise, which would keep every membership that ever raced with it in memory.
   */
  async #unlessClosing<T>(work: Promise<T>): Promise<T | undefined> {
    const { signal } = this.#closing;
    if (signal.aborted) return undefined;
    const { promise: closing, resolve } = Promise.withResolvers<undefined>();
    const onClosing = () => resolve(undefined);
    signal.addEventListener('abort', onClosing);
    try {
      return await Promise.race([work, closing]);
    } finally {
      signal.removeEventListener('abort', onClosing);
    }
  }
}
