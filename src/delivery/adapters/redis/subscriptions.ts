import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { redisFailure } from '../../../redis/index.js';
import { FanoutClosedError } from '../../delivery.errors.js';

const DONE = Promise.resolve();
/** Names in one SUBSCRIBE: long enough to save round trips, short enough not to hold up either side. */
const BATCH = 1_000;

export interface RedisSubscriptionsOptions {
  /** The Redis channel of a route. */
  readonly channelOf: (route: string) => string;
  /** Whether SSUBSCRIBE is used in place of SUBSCRIBE. */
  readonly sharded: boolean;
}

/** What the connection has for others. `goodAt` is on the clock of `performance.now()`. */
export interface RedisSubscriptionsEvents {
  onMessage(envelope: Buffer): void;
  /** A connection begins after one that was lost: what arrives before `onRestored` resolves is newer than what is missing. */
  onReturned(): void;
  /**
   * Everything is subscribed again; hand over what may have been missed since `goodAt`. Rejects if that is not possible now. What it does
   * counts for nothing once the connection is lost as well: then it is called for the next one.
   */
  onRestored(goodAt: number, isCurrent: () => boolean): Promise<void>;
}

interface Route {
  readonly name: string;
  /** Calls of `subscribe` less calls of `unsubscribe`. */
  count: number;
  /** When `count` last rose from 0, on the clock of `performance.now()`. */
  requestedAt: number;
  /** Number of the connection on which SUBSCRIBE was sent, and on which Redis has confirmed it. */
  sentOn: number;
  confirmedOn: number;
  inForce: PromiseWithResolvers<void> | undefined;
}

/**
 * Keeps one connection subscribed to the routes that are wanted here.
 *
 * A connection carries commands in order. So a route's state is that of the last command sent for it, and a route
 * that is wanted again while its UNSUBSCRIBE is on its way simply has a SUBSCRIBE sent after it. What is sent on one
 * connection means nothing to the next: each has a number, and everything that waits is checked against it.
 */
export class RedisSubscriptions {
  readonly #logger = new Logger('RedisFanout');
  readonly #routes = new Map<string, Route>();
  /** Routes whose wanted state may differ from the one sent. */
  readonly #changed = new Set<Route>();
  /** Raised when a connection begins and again when it ends; odd while there is one. */
  #connection = 0;
  /** The last moment up to which nothing can have been missed; undefined before the first connection. */
  #goodAt: number | undefined;
  /** Whether everything missed before this connection has been made up for, so that `#goodAt` may move on. */
  #restored = false;
  #flushing: NodeJS.Immediate | undefined;
  readonly #closing = new AbortController();

  constructor(
    private readonly client: Redis,
    private readonly options: RedisSubscriptionsOptions,
    private readonly events: RedisSubscriptionsEvents,
  ) {
    client.on(options.sharded ? 'smessageBuffer' : 'messageBuffer', (_channel: Buffer, envelope: Buffer) => {
      if (!this.#closed) events.onMessage(envelope);
    });
    client.on('close', () => {
      if (this.#connected) this.#connection++;
    });
    client.on('ready', () => this.#begin());
    if (client.status === 'ready') this.#begin();
  }

  /** When the route was first wanted in its present stretch; undefined if it is not wanted. */
  wantedSince(name: string): number | undefined {
    const route = this.#routes.get(name);
    return route === undefined || route.count === 0 ? undefined : route.requestedAt;
  }

  subscribe(name: string): Promise<void> {
    if (this.#closed) return Promise.reject(new FanoutClosedError());
    const route = this.#routes.get(name) ?? this.#newRoute(name);
    if (route.count++ === 0) {
      route.requestedAt = performance.now();
      this.#change(route);
    }
    if (this.#connected && route.confirmedOn === this.#connection) return DONE;
    route.inForce ??= Promise.withResolvers();
    return route.inForce.promise;
  }

  unsubscribe(name: string): void {
    const route = this.#routes.get(name);
    if (route === undefined || route.count === 0 || --route.count > 0) return;
    route.inForce?.resolve();
    route.inForce = undefined;
    this.#change(route);
  }

  /**
   * Notes up to when the connection is known to be good, and tries again what Redis refused. Called regularly. An answer to
   * PING follows every message that Redis sent before it; a connection that does not answer is ended by its socket timeout.
   */
  async check(): Promise<void> {
    this.#scheduleFlush();
    if (!this.#connected || !this.#restored) return;
    const connection = this.#connection;
    const sentAt = performance.now();
    try {
      await this.client.ping();
    } catch {
      return; // the connection is lost, which its listener sees to
    }
    if (connection === this.#connection) this.#goodAt = sentAt;
  }

  close(): void {
    if (this.#closed) return;
    this.#closing.abort();
    clearImmediate(this.#flushing);
    this.client.disconnect();
    for (const { inForce } of this.#routes.values()) inForce?.reject(new FanoutClosedError());
    this.#routes.clear();
    this.#changed.clear();
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  get #connected(): boolean {
    return this.#connection % 2 === 1;
  }

  #newRoute(name: string): Route {
    const route = { name, count: 0, requestedAt: 0, sentOn: 0, confirmedOn: 0, inForce: undefined };
    this.#routes.set(name, route);
    return route;
  }

  #change(route: Route): void {
    this.#changed.add(route);
    this.#scheduleFlush();
  }

  /** Changes of one turn of the event loop go out as one command. */
  #scheduleFlush(): void {
    if (this.#changed.size === 0 || this.#closed) return;
    this.#flushing ??= setImmediate(() => {
      this.#flushing = undefined;
      this.#flush();
    });
  }

  #flush(): void {
    const unwanted: Route[] = [];
    const wanted: Route[] = [];
    for (const route of this.#changed) {
      const isSent = this.#connected && route.sentOn === this.#connection;
      if (route.count === 0) {
        this.#routes.delete(route.name);
        if (isSent) unwanted.push(route);
      } else if (!isSent) wanted.push(route);
    }
    this.#changed.clear();
    if (!this.#connected) return; // the next connection subscribes to all routes
    for (const batch of batches(unwanted)) this.#unsubscribeFrom(batch);
    for (const batch of batches(wanted)) void this.#subscribeTo(batch);
  }

  #unsubscribeFrom(batch: readonly Route[]): void {
    const names = this.#channelsOf(batch);
    const sent = this.options.sharded
      ? this.client.sunsubscribe(...names)
      : this.client.unsubscribe(...names);
    // At worst the connection is lost, and with it the subscription.
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
      if (!isLost) this.#refused(batch, redisFailure(error).reason);
      return;
    }
    if (connection !== this.#connection) return;
    for (const route of batch) {
      route.confirmedOn = connection;
      route.inForce?.resolve();
      route.inForce = undefined;
    }
  }

  /** The connection stands, but Redis did not take the command: no permission, or too late for a slot that has moved. */
  #refused(batch: readonly Route[], reason: string): void {
    this.#logger.warn(`redis refused ${batch.length} subscription(s), to be tried again: ${reason}`);
    for (const route of batch) {
      route.sentOn = 0;
      if (this.#routes.get(route.name) === route) this.#changed.add(route);
    }
  }

  #begin(): void {
    if (this.#closed || this.#connected) return;
    this.#connection++;
    this.#restored = false;
    if (this.#goodAt !== undefined) this.events.onReturned();
    void this.#restore(this.#connection);
  }

  async #restore(connection: number): Promise<void> {
    const beganAt = performance.now();
    const missing = [...this.#routes.values()].filter((route) => route.count > 0);
    for (const batch of batches(missing)) {
      const unsent = batch.filter((route) => route.count > 0 && route.sentOn !== connection);
      if (unsent.length > 0) await this.#subscribeTo(unsent);
      if (connection !== this.#connection) return;
    }
    if (this.#goodAt !== undefined) await this.#makeUp(connection, this.#goodAt);
    if (connection !== this.#connection) return;
    this.#goodAt = beganAt;
    this.#restored = true;
  }

  /** Until it succeeds `#goodAt` stands still, so that what is missing is asked for by a later connection if not by this one. */
  async #makeUp(connection: number, goodAt: number): Promise<void> {
    for (let attempt = 1; connection === this.#connection && !this.#closed; attempt++) {
      try {
        return await this.events.onRestored(goodAt, () => connection === this.#connection);
      } catch (error) {
        if (attempt === 1)
          this.#logger.warn(`cannot read what was missed, trying again: ${redisFailure(error).reason}`);
        const pauseMs = Math.min(50 * attempt, 1_000);
        await delay(pauseMs, undefined, { signal: this.#closing.signal, ref: false }).catch(() => {});
      }
    }
  }

  #channelsOf(batch: readonly Route[]): string[] {
    return batch.map(({ name }) => this.options.channelOf(name));
  }
}

function batches(routes: readonly Route[]): Route[][] {
  const count = Math.ceil(routes.length / BATCH);
  return Array.from({ length: count }, (_, index) => routes.slice(index * BATCH, (index + 1) * BATCH));
}
