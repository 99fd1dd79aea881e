import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Publication } from '../../delivery/index.js';
import { closeCodeLabel } from './close-codes.js';
import type { Connection, ConnectionHost } from './connection.js';
import { ConnectionAdmission } from './connection-admission.js';
import { GatewayMetrics } from '../gateway.metrics.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../gateway.module-definition.js';
import { HeartbeatTiming } from './heartbeat.js';
import { FlushQueue } from './flush-queue.js';
import { RateLimit } from '../../limits/index.js';
import { TimerWheel } from './timer-wheel.js';

/** The open connections of this process, over all protocols and transports, and what they share. */
@Injectable()
export class Connections implements ConnectionHost, OnModuleInit, OnApplicationShutdown {
  readonly flushQueue: FlushQueue;
  /** Holds every timer of the connections. */
  readonly wheel = new TimerWheel();
  readonly heartbeatTiming: HeartbeatTiming;
  readonly inboundRate: RateLimit;
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
    this.flushQueue = new FlushQueue(options.outboxMaxBytes, () => this.#onFlushed());
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
