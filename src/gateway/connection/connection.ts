import { inBackground, reportFailure } from '../../async/index.js';
import type { Publication } from '../../delivery/index.js';
import type { RateLimit } from '../../limits/index.js';
import type { CloseCode, CloseReason } from './close-codes.js';
import type { Framing, SharedMessage } from './framing.js';
import type { ConnectionProtocol, Handshake } from './handshake.js';
import { Heartbeat, type HeartbeatTiming, type Pinged } from './heartbeat.js';
import type { FlushQueue } from './flush-queue.js';
import { Outbox } from './outbox.js';
import type { OutboxBudget } from './outbox-budget.js';
import { PauseCause } from './pause-cause.js';
import { unencodable, type PublicationFormat } from './publication-format.js';
import { type TimerWheel, WheelCall } from './timer-wheel.js';
import type { Transport, TransportListener } from './transport.js';

/** The objects that all connections of a process share. */
export interface ConnectionHost {
  readonly flushQueue: FlushQueue;
  readonly wheel: TimerWheel;
  /** Bounds what waits for all clients together. */
  readonly budget: OutboxBudget;
  readonly heartbeatTiming: HeartbeatTiming;
  /** Slows down what a client sends: messages, pings and pongs. */
  readonly inboundRate: RateLimit;
  onOpened(connection: Connection): void;
  /** The connection has ended; its transport may still be closing. */
  onLeft(connection: Connection, code: number): void;
  /** The transport is gone. Called once, also for a connection that was never opened. */
  onGone(connection: Connection): void;
  onReceived(connection: Connection): void;
  /** A frame of a publication waits for the end of the turn. */
  onQueued(publication: Publication, isFirst: boolean): void;
  /** A publication did not fit into the outbox of a client, which is closed as slow. */
  onDropped(publication: Publication): void;
  /** A publication was dropped for a client, because its protocol cannot carry it. */
  onUnencodable(publication: Publication, connection: Connection): void;
  /** Publications were left out of an answer to a client for that reason. */
  onLeftOut(channel: string, count: number, connection: Connection): void;
  /** A client is closed, because its own outbox is full. */
  onSlow(connection: Connection): void;
}

/** Marks in the causes of a pause that there was one since the last look. */
const RECENTLY = 1 << 8;
const ANY_CAUSE = RECENTLY - 1;

/** Creates the connections of one protocol. */
export interface ConnectionFactory {
  /**
   * Creates the connection of an admitted client.
   * @throws HandshakeRefusedError to refuse the client; {@link Connection.join} may reject with it as well
   */
  connect(handshake: Handshake, host: ConnectionHost): Connection;
}

/**
 * One client, whatever transport carries it. A protocol is a subclass, which says how a publication looks and what a
 * message means.
 *
 * A connection exists before its transport is open: it may be attached to delivery while the handshake waits, and keeps
 * what arrives meanwhile. So a client whose transport is open has missed nothing.
 */
export abstract class Connection implements Pinged, TransportListener {
  readonly id: string;
  /** The key for limits by address. */
  readonly network: string;
  readonly #protocol: ConnectionProtocol;
  readonly #framing: Framing;
  readonly #host: ConnectionHost;
  readonly #outbox: Outbox;
  #transport: Transport | undefined;
  #heartbeat: Heartbeat | undefined;
  #inboundState = 0;
  /** The causes for which the client is not read from, as bits. */
  #pauses = 0;
  #hasLeft = false;

  constructor({ id, network, protocol, framing }: Handshake, host: ConnectionHost) {
    this.id = id;
    this.network = network;
    this.#protocol = protocol;
    this.#framing = framing;
    this.#host = host;
    this.#outbox = new Outbox(host.flushQueue);
  }

  /**
   * Prepares the connection, for example attaches it to delivery. The handshake is accepted when this resolves. It is
   * refused with the refusal of a {@link HandshakeRefusedError}, and with 503 for any other error and after a time-out.
   */
  abstract join(): Promise<void>;
  /** Ends every attachment, including those that {@link join} still waits for. Called once. */
  protected abstract leave(): void;
  /** Called when the transport is open: what is sent from now on goes to the client. */
  protected abstract onOpen(): void;
  /** Called for each message. A client that sends faster than its limit is read from less often. */
  protected abstract onInbound(message: Buffer, isText: boolean): void;

  /** How long {@link join} may take, in ms; undefined for `gateway.attachTimeoutMs`. */
  get joinTimeoutMs(): number | undefined {
    return undefined;
  }

  /**
   * The WebSocket subprotocol that the client is granted, false for none. Undefined: the first that it offers, of those that the
   * protocol speaks.
   */
  get subprotocol(): string | false | undefined {
    return undefined;
  }

  /** The largest message of this client, in bytes; undefined for `gateway.maxMessageBytes`. */
  get maxMessageBytes(): number | undefined {
    return undefined;
  }

  /** The largest frame of a message of this client, in bytes; undefined for no further limit. Not every transport has frames. */
  get maxFrameBytes(): number | undefined {
    return undefined;
  }

  get protocol(): ConnectionProtocol {
    return this.#protocol;
  }

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** Bytes that wait for the client. */
  get outboxBytes(): number {
    return this.#outbox.bytes;
  }

  /** Corrects the part of the client in the budget, and returns it. */
  countOutbox(): number {
    return this.#outbox.count();
  }

  /** The handshake is done: sends what has arrived meanwhile, and everything that follows, over the transport. */
  open(transport: Transport): void {
    transport.attach(this);
    this.#transport = transport;
    this.#outbox.open(transport);
    this.#host.onOpened(this);
    this.onOpen();
  }

  /** The handshake has failed. Does nothing if the connection is open. */
  abandon(): void {
    if (this.#transport !== undefined) return;
    this.#depart();
    this.#vanish();
  }

  /** Sends what waits, and then the code. The transport disconnects a client that does not read it in time. */
  close({ code, reason }: CloseCode): void {
    if (!this.#leaveWith(code)) return;
    this.#outbox.end();
    this.#transport?.close(code, reason);
  }

  /** Closes with the protocol's code for the reason. What waits for a slow client is dropped. */
  closeFor(reason: CloseReason): void {
    if (reason === 'slow' && !this.#hasLeft) this.#outbox.discard();
    this.close(this.#protocol.closeCodes[reason]);
  }

  /** Disconnects the client without a close code. */
  terminate(): void {
    this.#transport?.terminate();
  }

  /** The protocol's own ping; undefined if the transport's pings are used. */
  protected get protocolPing(): SharedMessage | undefined {
    return undefined;
  }

  ping(): void {
    const frame = this.protocolPing?.on(this.#framing) ?? this.#framing.ping;
    if (frame !== undefined) this.#outbox.push(frame);
  }

  onMessage(message: Buffer, isText: boolean): void {
    if (!this.#countInbound()) return;
    this.#host.onReceived(this);
    try {
      this.onInbound(message, isText);
    } catch (fault) {
      // The state of this client is unknown. It connects again; no other client is affected.
      reportFailure('message of a client', fault);
      this.terminate();
    }
  }

  onPing(pong: Buffer): void {
    if (this.#countInbound()) this.#push(pong);
  }

  /** A pong without a ping is a heartbeat of the client's own (RFC 6455, section 5.5.3) and changes nothing. */
  onPong(): void {
    if (this.#countInbound() && this.protocolPing === undefined) this.pong();
  }

  /** Whichever side closes, the client receives what was sent before. */
  onClosing(): void {
    this.#outbox.end();
  }

  onFault(code: number): void {
    this.#leaveWith(code);
  }

  onClose(code: number): void {
    this.#leaveWith(code);
    this.#vanish();
  }

  /**
   * The hot path: at most one encoding per publication and format, and one reference per subscriber.
   * Returns whether the publication is on its way to the client. One that its protocol cannot carry is dropped.
   */
  deliver(publication: Publication, format: PublicationFormat): boolean {
    if (this.#hasLeft) return false;
    const isFirst = publication.frames.length === 0;
    const frame = format.of(publication, this.#framing);
    if (frame === unencodable) {
      this.#host.onUnencodable(publication, this);
      return false;
    }
    if (!this.#push(frame)) {
      this.#host.onDropped(publication);
      return false;
    }
    this.#host.onQueued(publication, isFirst);
    return true;
  }

  leftOut(channel: string, count: number): void {
    this.#host.onLeftOut(channel, count, this);
  }

  /** Sends a message to this client only. */
  protected sendMessage(message: Uint8Array, isText: boolean): void {
    this.#push(this.#framing.frame(message, isText));
  }

  /** Sends a message that many clients receive: they share the bytes of the frame. */
  sendShared(message: SharedMessage): void {
    this.#push(message.on(this.#framing));
  }

  /** Pings the client from here on, unless neither its protocol nor its transport has a ping. */
  protected startHeartbeat(): void {
    if (this.protocolPing === undefined && this.#framing.ping === undefined) return;
    this.#heartbeat = new Heartbeat(this, this.#host.heartbeatTiming);
    this.#heartbeat.start();
  }

  /** The client answered a ping. Returns whether one was waiting for its answer. */
  pong(): boolean {
    return this.#heartbeat?.pong() ?? false;
  }

  /**
   * Resolves when the client may be sent more answers: a large message has left, and not too much waits for all clients
   * together. Undefined if it may be now.
   */
  caughtUp(): Promise<void> | undefined {
    return this.#outbox.caughtUp() ?? this.#host.budget.relieved();
  }

  /** Reads nothing more from the client until {@link resume} was called for each cause. */
  pause(cause: PauseCause = PauseCause.queue): void {
    if (this.#hasLeft) return;
    this.#pauses |= cause | RECENTLY;
    this.#transport?.pause();
  }

  resume(cause: PauseCause = PauseCause.queue): void {
    this.#pauses &= ~cause;
    if ((this.#pauses & ANY_CAUSE) === 0) this.#transport?.resume();
  }

  wasPaused(): boolean {
    const was = this.#pauses !== 0;
    if ((this.#pauses & ANY_CAUSE) === 0) this.#pauses = 0;
    return was;
  }

  /** Returns false, and closes the connection, if the client is too far behind. */
  #push(frame: Buffer): boolean {
    if (this.#outbox.push(frame)) return true;
    if (!this.#hasLeft) this.#host.onSlow(this);
    this.closeFor('slow');
    return false;
  }

  /** Counts something that the client sent, and pauses reading if that was too much. Returns whether the connection is still there. */
  #countInbound(): boolean {
    if (this.#hasLeft) return false;
    const { inboundRate, budget, wheel } = this.#host;
    const nowMs = performance.now();
    this.#inboundState = inboundRate.charge(this.#inboundState, nowMs);
    const waitMs = inboundRate.waitMs(this.#inboundState, nowMs);
    if (waitMs > 0) {
      this.pause(PauseCause.messages);
      wheel.schedule(new WheelCall(() => this.resume(PauseCause.messages)), waitMs);
    }
    const relieved = budget.relieved();
    if (relieved !== undefined) {
      this.pause(PauseCause.memory);
      inBackground('reading from clients', () => relieved.then(() => this.resume(PauseCause.memory)));
    }
    return true;
  }

  #leaveWith(code: number): boolean {
    if (!this.#depart()) return false;
    this.#host.onLeft(this, code);
    return true;
  }

  #depart(): boolean {
    if (this.#hasLeft) return false;
    this.#hasLeft = true;
    this.#heartbeat?.stop();
    // A paused transport would not read the client's own close.
    this.#transport?.resume();
    this.leave();
    return true;
  }

  #vanish(): void {
    this.#outbox.release();
    this.#host.onGone(this);
  }
}
