import type { CloseReason } from './close-codes.js';
import { TimerWheel, WheelEntry } from './timer-wheel.js';

export interface HeartbeatOptions {
  /** Time between a client's answer and the next ping, in ms. */
  readonly pingIntervalMs: number;
  /** How long the client may take to answer, in ms. */
  readonly pongTimeoutMs: number;
}

/** The part of a connection that a heartbeat uses. */
export interface Pinged {
  ping(): void;
  /** Whether reading from the client was paused since the last call: its answer may wait unread. */
  wasPaused(): boolean;
  closeFor(reason: CloseReason): void;
}

/** The timer wheel and the settings that all heartbeats share. */
export class HeartbeatTiming {
  constructor(
    readonly wheel: TimerWheel,
    readonly options: HeartbeatOptions,
  ) {}

  /** Returns a random delay between half an interval and a whole one, so that clients that connected together are not pinged together. */
  firstDelayMs(): number {
    return (this.options.pingIntervalMs / 2) * (1 + Math.random());
  }
}

/** Pings one client, and closes its connection if it does not answer in time, unless it was not read from in that time. Other traffic does not count as an answer. */
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
      if (this.pinged.wasPaused()) this.timing.wheel.schedule(this, this.timing.options.pongTimeoutMs);
      else this.pinged.closeFor('noPong');
      return;
    }
    this.#awaitsPong = true;
    this.timing.wheel.schedule(this, this.timing.options.pongTimeoutMs);
    this.pinged.ping();
  }

  /** Handles a pong. Returns whether a ping was waiting for it; if not, the pong changes nothing. */
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
