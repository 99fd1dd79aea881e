import { closeCodes, type CloseCode } from './close-codes.js';
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
  close(code: CloseCode): void;
}

/** The settings and the wheel that all heartbeats share. */
export class Pulse {
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
    private readonly pulse: Pulse,
  ) {
    super();
  }

  start(): void {
    this.pulse.wheel.schedule(this, this.pulse.firstDelayMs());
  }

  override due(): void {
    if (this.#awaitsPong) {
      this.pinged.close(closeCodes.noPong);
      return;
    }
    this.#awaitsPong = true;
    this.pulse.wheel.schedule(this, this.pulse.options.pongTimeoutMs);
    this.pinged.ping();
  }

  /** A pong came. One that nobody asked for is a client's own heartbeat (RFC 6455, section 5.5.3) and changes nothing. */
  pong(): void {
    if (!this.#awaitsPong) return;
    this.#awaitsPong = false;
    this.pulse.wheel.schedule(this, this.pulse.options.pingIntervalMs);
  }

  stop(): void {
    this.pulse.wheel.cancel(this);
  }
}
