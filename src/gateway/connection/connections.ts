import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Publication } from '../../delivery/index.js';
import { closeCodeLabel } from './close-codes.js';
import type { Connection, ConnectionHost } from './connection.js';
import { ConnectionAdmission } from './connection-admission.js';
import { GatewayMetrics } from '../gateway.metrics.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../gateway.module-definition.js';
import { HeartbeatTiming } from './heartbeat.js';
import { FlushQueue } from './flush-queue.js';
import { RateLimit, RepeatedWarning } from '../../limits/index.js';
import { defaultOutboxBudget, OutboxBudget } from './outbox-budget.js';
import { TimerWheel } from './timer-wheel.js';

/** The open connections of this process, over all protocols and transports, and what they share. */
@Injectable()
export class Connections implements ConnectionHost, OnModuleInit, OnApplicationShutdown {
  readonly flushQueue: FlushQueue;
  readonly budget: OutboxBudget;
  /** Holds every timer of the connections. */
  readonly wheel = new TimerWheel();
  readonly heartbeatTiming: HeartbeatTiming;
  readonly inboundRate: RateLimit;
  readonly #warning = new RepeatedWarning(new Logger('Gateway'));
  /** The publication that was last dropped because a protocol cannot carry it. */
  #lastUnencodable: Publication | undefined;
  readonly #open = new Set<Connection>();
  #emptied: PromiseWithResolvers<void> | undefined;
  /** The number of frames queued since the last flush. */
  #queued = 0;
  /** The publications whose first frame was queued since the last flush. */
  #fresh: Publication[] = [];

  constructor(
    @Inject(GATEWAY_MODULE_OPTIONS) options: GatewayModuleOptions,
    private readonly admission: ConnectionAdmission,
    private readonly metrics: GatewayMetrics,
  ) {
    this.budget = new OutboxBudget({
      maxBytes: options.outboxTotalMaxBytes || defaultOutboxBudget(),
      clients: () => this.#open,
      onExceeded: (bytes, closed) => this.#onExceeded(bytes, closed),
    });
    this.flushQueue = new FlushQueue(options.outboxMaxBytes, () => this.#onFlushed(), this.budget);
    this.heartbeatTiming = new HeartbeatTiming(this.wheel, options.heartbeat);
    this.inboundRate = new RateLimit(options.limits.inbound);
  }

  get size(): number {
    return this.#open.size;
  }

  get outboxBytes(): number {
    let bytes = 0;
    for (const connection of this.#open) bytes += connection.outboxBytes;
    return bytes;
  }

  [Symbol.iterator](): SetIterator<Connection> {
    return this.#open.values();
  }

  /** Resolves when the last connection is gone. */
  whenEmpty(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    this.#emptied ??= Promise.withResolvers();
    return this.#emptied.promise;
  }

  onModuleInit(): void {
    this.wheel.start();
  }

  onApplicationShutdown(): void {
    this.wheel.close();
    this.flushQueue.close();
    this.budget.close();
  }

  onOpened(connection: Connection): void {
    this.#open.add(connection);
    this.metrics.opened(connection.protocol.name);
  }

  onLeft({ protocol }: Connection, code: number): void {
    this.metrics.closed(closeCodeLabel(code, protocol.closeCodes));
  }

  onGone(connection: Connection): void {
    this.admission.leave(connection.network);
    if (!this.#open.delete(connection)) return;
    this.metrics.gone(connection.protocol.name);
    if (this.#open.size > 0) return;
    this.#emptied?.resolve();
    this.#emptied = undefined;
  }

  onReceived({ protocol }: Connection): void {
    this.metrics.received(protocol.name);
  }

  onQueued(publication: Publication, isFirst: boolean): void {
    this.#queued++;
    if (isFirst) this.#fresh.push(publication);
  }

  onDropped(): void {
    this.metrics.dropped();
  }

  onUnencodable(publication: Publication, { protocol }: Connection): void {
    this.metrics.unencodable(protocol.name, 1);
    // Its other subscribers follow one after another.
    if (publication === this.#lastUnencodable) return;
    this.#lastUnencodable = publication;
    this.#warnUnencodable(publication.channel, protocol.name);
  }

  onLeftOut(channel: string, count: number, { protocol }: Connection): void {
    this.metrics.unencodable(protocol.name, count);
    this.#warnUnencodable(channel, protocol.name);
  }

  #warnUnencodable(channel: string, protocol: string): void {
    this.#warning.warn(
      `channel ${channel}: a publication was dropped for clients of the protocol ${protocol} that cannot receive it: bytes that are ` +
        'not JSON reach only clients that use Protobuf. Set publicationDataFormat to json to refuse them when they are published',
    );
  }

  onSlow(): void {
    this.metrics.closedAsSlow('outbox', 1);
  }

  #onExceeded(bytes: number, closed: number): void {
    this.metrics.closedAsSlow('process', closed);
    this.#warning.warn(
      `${Math.round(bytes / 2 ** 20)} MB wait for clients that do not read, which is more than gateway.outboxTotalMaxBytes allows: ` +
        `nothing is read from clients meanwhile, and the ${closed} that are furthest behind are closed as slow`,
    );
  }

  #onFlushed(): void {
    if (this.#queued === 0) return;
    this.metrics.delivered(this.#queued);
    this.#queued = 0;
    if (this.#fresh.length === 0) return;
    const now = Date.now();
    for (const publication of this.#fresh) this.metrics.written(publication, now);
    this.#fresh = [];
  }
}
