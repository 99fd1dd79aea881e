import type { CloseReason } from './close-codes.js';
import { TimerWheel, WheelEntry } from './timer-wheel.js';

export interface HeartbeatOptions {
  /** Time between a client's answer and the next ping, in ms. */
  readonly pingIntervalMs: number;
  /** How long the client may take to answer, in ms. */
  readonly pongTimeoutMs: number;
}

/** What a heartbeat needs of its connection. */
export interface Pinged {
  ping(): void;
  closeFor(reason: CloseReason): void;
}

/** The settings and the wheel that all heartbeats share. */
export class HeartbeatTiming {
  constructor(
    readonly wheel: TimerWheel,
    readonly options: HeartbeatOptions,
  ) {}

  /** Spread over half an interval, so that clients that came together are not pinged together. */
  firstDelayMs(): number {
    return (this.options.pingIntervalMs / 2) * (1 + Math.random());
  }
}

/** Pings one client and closes the connection when no answer comes. Other traffic does not replace the answer. */
export class Heartbeat extends WheelEntry {
  #awaitsPong = false;

  constructor(
    private readonly pinged: Pinged,
    private readonly timing: HeartbeatTiming,
  ) {
    super();
  }

  start(): void {
    this.timing.wheel.schedule(this, this.timing.firstDelayMs());
  }

  override due(): void {
    if (this.#awaitsPong) {
      this.pinged.closeFor('noPong');
      return;
    }
    this.#awaitsPong = true;
    this.timing.wheel.schedule(this, this.timing.options.pongTimeoutMs);
    this.pinged.ping();
  }

  /** A pong came. Answers whether a ping had asked for it; if not, it changes nothing. */
  pong(): boolean {
    if (!this.#awaitsPong) return false;
    this.#awaitsPong = false;
    this.timing.wheel.schedule(this, this.timing.options.pingIntervalMs);
    return true;
  }

  stop(): void {
    this.timing.wheel.cancel(this);
  }
}
