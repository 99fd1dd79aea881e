import { Logger } from '@nestjs/common';
import type { BrokerStatus } from '../../../metrics/index.js';

/** What becomes of the probes of a process. */
export interface ProbeEvents {
  /** A probe came back. */
  onEcho(ms: number): void;
  /** A probe did not come back in time. */
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
 * Publishes a probe through Redis to this process itself, again and again. Each of the two connections may work, and
 * nothing arrives all the same: after a failover they lead to different servers, or the server has lost the
 * subscriptions. Without an echo in time, both connections are opened again, and the status is down until an echo comes.
 */
export class FanoutProbe {
  readonly #logger = new Logger('RedisFanout');
  /** When the probe that is on its way was sent, on the clock of `performance.now()`. */
  #sentAt: number | undefined;
  /** It is late, but its echo may wait in a socket, because this process was suspended. */
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

  /** A probe arrived. */
  echo(): void {
    if (this.#sentAt === undefined) return;
    this.events.onEcho(performance.now() - this.#sentAt);
    this.forget();
    this.status.up();
  }

  /** The connection over which the probe was sent, or was to arrive, is gone. */
  forget(): void {
    this.#sentAt = undefined;
    this.#isLate = false;
  }

  #send(): void {
    this.#sentAt = performance.now();
    // A probe that was not sent says nothing about its way back. The status of the connection reports the failure.
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
