import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Connections } from './connections.js';
import { settlesWithin } from '../../async/index.js';
import { ConnectionAdmission } from './connection-admission.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../gateway.module-definition.js';

const STEP_MS = 50;

/**
 * Closes all connections at shutdown: refuses new clients, and closes the others at a rate at which other replicas can
 * accept them. Delivery and the bus keep running meanwhile, because Nest destroys importing modules first.
 */
@Injectable()
export class Drain implements OnModuleDestroy {
  readonly #logger = new Logger('Gateway');
  readonly #connectionsPerSecond: number;
  readonly #timeoutMs: number;
  readonly #closeTimeoutMs: number;

  constructor(
    @Inject(GATEWAY_MODULE_OPTIONS) { drain, closeTimeoutMs }: GatewayModuleOptions,
    private readonly admission: ConnectionAdmission,
    private readonly connections: Connections,
  ) {
    this.#connectionsPerSecond = drain.connectionsPerSecond;
    this.#timeoutMs = drain.timeoutMs;
    this.#closeTimeoutMs = closeTimeoutMs;
  }

  /** Resolves when no connection is left. Terminates those that are left after `drain.timeoutMs`. */
  async onModuleDestroy(): Promise<void> {
    this.admission.shut();
    if (this.connections.size === 0) return;
    this.#logger.log(`shutdown: closing ${this.connections.size} connections`);
    const timeout = new AbortController();
    const isEmpty = await settlesWithin(this.#timeoutMs, this.#closeAll(timeout.signal));
    if (isEmpty) return;
    timeout.abort();
    this.#logger.warn(
      `shutdown: ${this.connections.size} connections did not close within ${this.#timeoutMs} ms and are terminated`,
    );
    for (const connection of this.connections) connection.terminate();
    await this.connections.whenEmpty();
  }

  async #closeAll(signal: AbortSignal): Promise<void> {
    const connections = [...this.connections];
    const perStep = this.#perStep(connections.length);
    const startedAt = performance.now();
    for (let closed = 0, step = 1; closed < connections.length && !signal.aborted; step++) {
      const target = Math.ceil(perStep * step);
      for (; closed < target; closed++) connections[closed]?.closeFor('shuttingDown');
      const stepEndsInMs = startedAt + step * STEP_MS - performance.now();
      await delay(Math.max(0, stepEndsInMs));
    }
    await this.connections.whenEmpty();
  }

  /** Returns how many connections to close per step: at the configured rate, or faster if the last client could not answer before the time-out. */
  #perStep(count: number): number {
    const availableMs = Math.max(
      STEP_MS,
      this.#timeoutMs - Math.min(this.#closeTimeoutMs, this.#timeoutMs / 2),
    );
    return Math.max((this.#connectionsPerSecond * STEP_MS) / 1000, (count * STEP_MS) / availableMs);
  }
}
