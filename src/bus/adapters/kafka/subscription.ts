import { Logger } from '@nestjs/common';
import type { BusSubscription, RecordHandler, SubscribeOptions } from '../../bus.port.js';
import { backoffMs, pause, Semaphore, settlesWithin } from '../../../async/index.js';
import type { KafkaConnection } from './connection.js';
import { reasonOf } from './kafka.errors.js';
import { KafkaMembership } from './membership.js';

const REJOIN_INITIAL_DELAY_MS = 250;
const REJOIN_MAX_DELAY_MS = 5_000;

const PAUSED = 'paused';

/** Stays a member of its group for as long as it is open: a membership that ends is followed by another. */
export class KafkaSubscription implements BusSubscription {
  readonly #logger = new Logger('KafkaBus');
  /** Resolves when `close` has done its work. */
  readonly closed: Promise<void>;
  readonly #semaphore: Semaphore;
  readonly #subscription: Required<SubscribeOptions>;
  readonly #opened = Promise.withResolvers<void>();
  readonly #closing = new AbortController();

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
      ...options,
    };
    this.#semaphore = new Semaphore(this.#subscription.concurrency);
    this.closed = this.#stayJoined();
  }

  /**
   * Resolves when the subscription is in force, or when it turned out that the brokers do not answer or do not let it be: it is
   * then made as soon as they do.
   */
  get opened(): Promise<void> {
    return this.#opened.promise;
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
    await this.closed;
  }

  async #stayJoined(): Promise<void> {
    for (let failures = 0; !this.#closing.signal.aborted;) {
      const membership = new KafkaMembership(
        this.connection,
        this.#subscription,
        this.handler,
        this.#semaphore,
      );
      try {
        await this.#unlessClosing(membership.join());
        failures = 0;
        this.#opened.resolve();
        const reason = await this.#unlessClosing(membership.ended);
        if (reason !== undefined) throw reason;
      } catch (error) {
        this.#report(error, ++failures);
        // A topic that was deleted has to be made anew.
        for (const topic of this.#subscription.topics) this.connection.forgetTopic(topic);
      }
      await this.#end(membership);
      if (failures > 0) await this.#pauseBeforeAttempt(failures);
    }
    this.#opened.resolve();
  }

  /** The next membership must not meet the handlers of this one. */
  async #end(membership: KafkaMembership): Promise<void> {
    const { drainTimeoutMs } = this.connection.options;
    if (!(await settlesWithin(drainTimeoutMs, this.#semaphore.idle()))) {
      this.#logger.warn(
        `group ${this.#subscription.group}: a handler is still at work after ${drainTimeoutMs} ms`,
      );
    }
    await membership.leave();
  }

  #report(error: unknown, failures: number): void {
    // One failure may be that of a coordinator which is only just starting.
    if (this.connection.isDown || failures > 2) this.#opened.resolve();
    const line = `group ${this.#subscription.group} is without this member, which tries again: ${reasonOf(error)}`;
    if (failures === 1) this.#logger.warn(line);
    else this.#logger.debug(line);
  }

  async #pauseBeforeAttempt(failures: number): Promise<void> {
    const pauseMs = backoffMs(failures, REJOIN_INITIAL_DELAY_MS, REJOIN_MAX_DELAY_MS);
    await pause(pauseMs, this.#closing.signal);
  }

  /** Undefined where `close` came first. A shared promise would remember every membership that waited for it. */
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
