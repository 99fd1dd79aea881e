import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Connections } from './connections.js';
import { settlesWithin } from '../../async/index.js';
import { ConnectionAdmission } from './connection-admission.js';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../gateway.module-definition.js';

const STEP_MS = 50;

/**
 * Empties this process at shutdown: nobody new comes in, and the clients are sent to other replicas at a pace that
 * those can take. Delivery and the bus are still at work meanwhile, as Nest destroys importers first.
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

  /** Resolves within `drain.timeoutMs`, when no socket is left. */
  async onModuleDestroy(): Promise<void> {
    this.admission.shut();
    if (this.connections.size === 0) return;
    this.#logger.log(`closing ${this.connections.size} connections`);
    const away = new AbortController();
    const isEmpty = await settlesWithin(this.#timeoutMs, this.#sendAway(away.signal));
    if (isEmpty) return;
    away.abort();
    this.#logger.warn(`cutting ${this.connections.size} connections that did not close in time`);
    for (const connection of this.connections) connection.terminate();
    await this.connections.whenEmpty();
  }

  async #sendAway(signal: AbortSignal): Promise<void> {
    const waiting = [...this.connections];
    const perStep = this.#perStep(waiting.length);
    const startedAt = performance.now();
    for (let sent = 0, step = 1; sent < waiting.length && !signal.aborted; step++) {
      const target = Math.ceil(perStep * step);
      for (; sent < target; sent++) waiting[sent]?.closeFor('shuttingDown');
      const stepEndsInMs = startedAt + step * STEP_MS - performance.now();
      await delay(Math.max(0, stepEndsInMs));
    }
    await this.connections.whenEmpty();
  }

  /** The configured pace, or the faster one that leaves the last client time to answer before the time-out. */
  #perStep(count: number): number {
    const availableMs = Math.max(
      STEP_MS,
      this.#timeoutMs - Math.min(this.#closeTimeoutMs, this.#timeoutMs / 2),
    );
    return Math.max((this.#connectionsPerSecond * STEP_MS) / 1000, (count * STEP_MS) / availableMs);
  }
}
