import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { backoffMs, endOfTurn, inBackground, retryUntilDone } from '../../../async/index.js';
import { redisFailure } from '../../../redis/index.js';
import { FanoutClosedError } from '../../delivery.errors.js';

const DONE = Promise.resolve();
/** Names in one SUBSCRIBE: enough to save round trips, and few enough not to block either side. */
const BATCH = 1_000;
const RETRY_INITIAL_MS = 50;
const RETRY_MAX_MS = 1_000;

export interface RedisSubscriptionsOptions {
  /** Returns the Redis channel of a route. */
  readonly channelOf: (route: string) => string;
  /** Whether to use SSUBSCRIBE instead of SUBSCRIBE. */
  readonly sharded: boolean;
}

/** Times are by `performance.now()`. */
export interface RedisSubscriptionsEvents {
  onMessage(message: Buffer, channel: Buffer): void;
  /**
   * Called when there is a connection again after a lost one. What arrives before `onSubscribed` resolves is newer than
   * what was missed.
   */
  onReconnected(): void;
  /**
   * Called when all routes are subscribed again. Replays what may have been missed since `completeUntil`. It rejects if
   * that is not possible now, and is then called again. `isCurrent` returns whether the connection still exists;
   * without it the result has no effect, and the next connection replays again.
   */
  onSubscribed(completeUntil: number, isCurrent: () => boolean): Promise<void>;
}

interface Route {
  readonly name: string;
  /** Calls of `subscribe` minus calls of `unsubscribe`. */
  count: number;
  /** When `count` last rose from 0, by `performance.now()`. */
  requestedAt: number;
  /** Number of the connection on which SUBSCRIBE was sent, and of the one on which Redis confirmed it. */
  sentOn: number;
  confirmedOn: number;
  active: PromiseWithResolvers<void> | undefined;
}

/**
 * Keeps one connection subscribed to the requested routes.
 *
 * A connection carries commands in order. So the state of a route is that of the last command sent for it, and a route
 * that is requested again while its UNSUBSCRIBE is on the way simply gets another SUBSCRIBE. A command has no effect on
 * later connections: each connection has a number, with which everything that waits compares itself.
 */
export class RedisSubscriptions {
  readonly #logger = new Logger('RedisFanout');
  readonly #routes = new Map<string, Route>();
  /** Routes whose requested state may differ from the state that was sent. */
  readonly #changed = new Set<Route>();
  /** Incremented when a connection begins and when it ends: odd while there is one. */
  #connection = 0;
  /** Aborted when the current connection ends. */
  #ended = new AbortController();
  /** The last time until which nothing can have been missed. Undefined before the first connection. */
  #completeUntil: number | undefined;
  /**
   * Whether everything that was missed before this connection has been replayed, so that `#completeUntil` may advance.
   */
  #isComplete = false;
  #flushing: NodeJS.Immediate | undefined;
  #isClosed = false;

  constructor(
    private readonly client: Redis,
    private readonly options: RedisSubscriptionsOptions,
    private readonly events: RedisSubscriptionsEvents,
  ) {
    client.on(options.sharded ? 'smessageBuffer' : 'messageBuffer', (channel: Buffer, message: Buffer) => {
      if (!this.#isClosed) events.onMessage(message, channel);
    });
    client.on('close', () => this.#end());
    client.on('ready', () => this.#begin());
    if (client.status === 'ready') this.#begin();
  }

  /** Returns since when the route has been requested without a break, or undefined if it is not requested. */
  requestedAt(name: string): number | undefined {
    const route = this.#routes.get(name);
    return route === undefined || route.count === 0 ? undefined : route.requestedAt;
  }

  /** Returns whether Redis has confirmed the subscription on the present connection. */
  isActive(name: string): boolean {
    const confirmedOn = this.#routes.get(name)?.confirmedOn;
    return this.#isConnected && confirmedOn === this.#connection;
  }

  /** Resolves when the subscription is active, or when it is not requested any more. */
  subscribe(name: string): Promise<void> {
    if (this.#isClosed) return Promise.reject(new FanoutClosedError());
    const route = this.#routes.get(name) ?? this.#newRoute(name);
    if (route.count++ === 0) {
      route.requestedAt = performance.now();
      this.#change(route);
    }
    if (this.#isConnected && route.confirmedOn === this.#connection) return DONE;
    route.active ??= Promise.withResolvers();
    return route.active.promise;
  }

  unsubscribe(name: string): void {
    const route = this.#routes.get(name);
    if (route === undefined || route.count === 0 || --route.count > 0) return;
    route.active?.resolve();
    route.active = undefined;
    this.#change(route);
  }

  /**
   * Determines until when the connection has delivered everything, and retries subscriptions that Redis refused. Called
   * regularly. A reply to PING follows all messages that Redis has sent before it. The socket timeout ends a connection
   * that does not reply.
   */
  async check(): Promise<void> {
    this.#scheduleFlush();
    if (!this.#isConnected || !this.#isComplete) return;
    const connection = this.#connection;
    const sentAt = performance.now();
    try {
      await this.client.ping();
    } catch {
      return; // the connection is lost, which the listener of `close` handles
    }
    if (connection === this.#connection) this.#completeUntil = sentAt;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ended.abort();
    clearImmediate(this.#flushing);
    this.client.disconnect();
    for (const { active } of this.#routes.values()) active?.reject(new FanoutClosedError());
    this.#routes.clear();
    this.#changed.clear();
  }

  get #isConnected(): boolean {
    return this.#connection % 2 === 1;
  }

  #newRoute(name: string): Route {
    const route = { name, count: 0, requestedAt: 0, sentOn: 0, confirmedOn: 0, active: undefined };
    this.#routes.set(name, route);
    return route;
  }

  #change(route: Route): void {
    this.#changed.add(route);
    this.#scheduleFlush();
  }

  /** Sends the changes of one turn of the event loop as one command. */
  #scheduleFlush(): void {
    if (this.#changed.size === 0 || this.#isClosed) return;
    this.#flushing ??= endOfTurn('change of the subscriptions', () => {
      this.#flushing = undefined;
      this.#flush();
    });
  }

  #flush(): void {
    const unwanted: Route[] = [];
    const wanted: Route[] = [];
    for (const route of this.#changed) {
      const isSent = this.#isConnected && route.sentOn === this.#connection;
      if (route.count === 0) {
        this.#routes.delete(route.name);
        if (isSent) unwanted.push(route);
      } else if (!isSent) wanted.push(route);
    }
    this.#changed.clear();
    if (!this.#isConnected) return; // the next connection subscribes to all routes
    for (const batch of batches(unwanted)) this.#unsubscribeFrom(batch);
    for (const batch of batches(wanted))
      inBackground('change of the subscriptions', () => this.#subscribeTo(batch));
  }

  #unsubscribeFrom(batch: readonly Route[]): void {
    const names = this.#channelsOf(batch);
    const sent = this.options.sharded
      ? this.client.sunsubscribe(...names)
      : this.client.unsubscribe(...names);
    // If it fails, the connection is lost, and the subscription with it.
    sent.catch(() => {});
  }

  async #subscribeTo(batch: readonly Route[]): Promise<void> {
    const connection = this.#connection;
    for (const route of batch) route.sentOn = connection;
    const names = this.#channelsOf(batch);
    try {
      await (this.options.sharded ? this.client.ssubscribe(...names) : this.client.subscribe(...names));
    } catch (error) {
      const isLost = connection !== this.#connection || this.client.status !== 'ready';
      if (!isLost) this.#onRefused(batch, redisFailure(error).reason);
      return;
    }
    if (connection !== this.#connection) return;
    for (const route of batch) {
      route.confirmedOn = connection;
      route.active?.resolve();
      route.active = undefined;
    }
  }

  /**
   * The connection is up, but Redis refused the command: a missing permission, or a slot that has moved to another
   * node.
   */
  #onRefused(batch: readonly Route[], reason: string): void {
    this.#logger.warn(`Redis refused ${batch.length} subscription(s), retrying: ${reason}`);
    for (const route of batch) {
      route.sentOn = 0;
      if (this.#routes.get(route.name) === route) this.#changed.add(route);
    }
  }

  #begin(): void {
    if (this.#isClosed || this.#isConnected) return;
    this.#connection++;
    this.#ended = new AbortController();
    this.#isComplete = false;
    if (this.#completeUntil !== undefined) this.events.onReconnected();
    const { signal } = this.#ended;
    inBackground('restoration of the subscriptions', () => this.#restore(this.#connection, signal));
  }

  #end(): void {
    if (!this.#isConnected) return;
    this.#connection++;
    this.#ended.abort();
  }

  async #restore(connection: number, ended: AbortSignal): Promise<void> {
    const beganAt = performance.now();
    const missing = [...this.#routes.values()].filter((route) => route.count > 0);
    for (const batch of batches(missing)) {
      const unsent = batch.filter((route) => route.count > 0 && route.sentOn !== connection);
      if (unsent.length > 0) await this.#subscribeTo(unsent);
      if (ended.aborted) return;
    }
    if (this.#completeUntil !== undefined) await this.#replay(this.#completeUntil, ended);
    if (ended.aborted) return;
    this.#completeUntil = beganAt;
    this.#isComplete = true;
  }

  /**
   * `#completeUntil` does not advance before this succeeds, so that a later connection replays what this one could not.
   */
  async #replay(completeUntil: number, ended: AbortSignal): Promise<void> {
    await retryUntilDone(() => this.events.onSubscribed(completeUntil, () => !ended.aborted), {
      pauseMs: (attempt) => backoffMs(attempt, RETRY_INITIAL_MS, RETRY_MAX_MS),
      onFailure: (error, attempt) => {
        if (attempt === 1)
          this.#logger.warn(`could not read missed publications, retrying: ${redisFailure(error).reason}`);
      },
      signal: ended,
    });
  }

  #channelsOf(batch: readonly Route[]): string[] {
    return batch.map(({ name }) => this.options.channelOf(name));
  }
}

function batches(routes: readonly Route[]): Route[][] {
  const count = Math.ceil(routes.length / BATCH);
  return Array.from({ length: count }, (_, index) => routes.slice(index * BATCH, (index + 1) * BATCH));
}
