import { Logger } from '@nestjs/common';
import type { BrokerStatus } from '../../../metrics/index.js';

/** Receives the results of the probes of a process. */
export interface ProbeEvents {
  /** A probe arrived in time. */
  onEcho(ms: number): void;
  /** A probe did not arrive in time. */
  onLost(): void;
}

export interface ProbePath {
  /** Whether both connections are up, and Redis has confirmed the subscription to the probe's channel. */
  isOpen(): boolean;
  publish(): Promise<unknown>;
  /** Opens both connections again. */
  reconnect(): void;
}

/**
 * Regularly publishes a probe through Redis to this process itself. Both connections may work although no publication
 * arrives: after a failover they may lead to different servers, or the server may have lost the subscriptions. If a
 * probe does not arrive in time, both connections are opened again, and the status is down until a probe arrives.
 */
export class FanoutProbe {
  readonly #logger = new Logger('RedisFanout');
  /** When the pending probe was sent, by `performance.now()`. */
  #sentAt: number | undefined;
  /** The probe is late, but it may wait in a socket, because this process was suspended. */
  #isLate = false;

  constructor(
    private readonly path: ProbePath,
    private readonly timeoutMs: number,
    private readonly status: BrokerStatus,
    private readonly events: ProbeEvents,
  ) {
    status.up();
  }

  /** Called regularly. */
  check(): void {
    if (!this.path.isOpen()) {
      // The status of the connection reports this.
      this.forget();
      return;
    }
    if (this.#sentAt === undefined) this.#send();
    else if (performance.now() - this.#sentAt < this.timeoutMs) return;
    else if (this.#isLate) this.#lost();
    else this.#isLate = true;
  }

  /** Called when a probe arrives. */
  echo(): void {
    if (this.#sentAt === undefined) return;
    this.events.onEcho(performance.now() - this.#sentAt);
    this.forget();
    this.status.up();
  }

  /** Discards the pending probe. Called when the connection that sent it, or that should receive it, is lost. */
  forget(): void {
    this.#sentAt = undefined;
    this.#isLate = false;
  }

  #send(): void {
    this.#sentAt = performance.now();
    // A probe that was not sent cannot show whether probes arrive. The status of the connection reports the failure.
    this.path.publish().catch(() => this.forget());
  }

  #lost(): void {
    this.forget();
    this.events.onLost();
    const reason = `a publication of this process to itself did not arrive within ${this.timeoutMs} ms`;
    this.#logger.error(`${reason}: connecting to redis again`);
    this.status.down(reason);
    this.path.reconnect();
  }
}
