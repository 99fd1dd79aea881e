import type { Socket } from 'node:net';
import type { Publication } from '../../delivery/index.js';
import type { CloseCode, CloseCodes, CloseReason } from './close-codes.js';
import type { ClientSocket, SocketListener } from '../websocket/client-socket.js';
import { codeOfProtocolFault } from '../websocket/protocol-fault.js';
import { encodeFrame, Opcode, pingFrame, unencodable, type FrameFormat } from '../websocket/frame.js';
import type { Handshake } from './handshake.js';
import { Heartbeat, type Pinged, type HeartbeatTiming } from './heartbeat.js';
import { Outbox, type FlushQueue } from './outbox.js';
import type { RateLimit } from '../../limits/index.js';

/** What all connections of a process share. */
export interface ConnectionHost {
  readonly flushQueue: FlushQueue;
  readonly heartbeatTiming: HeartbeatTiming;
  /** For what a client sends: messages, pings and pongs. */
  readonly inboundRate: RateLimit;
  onOpened(connection: Connection): void;
  /** The connection takes no further part; its socket may still be closing. */
  onLeft(connection: Connection, code: number): void;
  /** The socket is gone. Called once, for a connection that was never opened too. */
  onGone(connection: Connection): void;
  onReceived(connection: Connection): void;
  /** A frame of a publication waits for the end of the turn. */
  onQueued(publication: Publication, isFirst: boolean): void;
  onDropped(publication: Publication): void;
}

/**
 * One client. It exists before its socket does: it may be attached to delivery while the handshake waits, and holds what
 * arrives meanwhile, so that a client whose socket is open has missed nothing. A protocol is a subclass, which says
 * how a publication looks and what a message means.
 */
export abstract class Connection implements Pinged, SocketListener {
  readonly id: string;
  /** Whom the limits by address are for. */
  readonly network: string;
  readonly #host: ConnectionHost;
  readonly #outbox: Outbox;
  #socket: ClientSocket | undefined;
  #heartbeat: Heartbeat | undefined;
  #inboundState = 0;
  #hasLeft = false;

  constructor({ id, network }: Handshake, host: ConnectionHost) {
    this.id = id;
    this.network = network;
    this.#host = host;
    this.#outbox = new Outbox(host.flushQueue);
  }

  /** As the metrics name it. */
  abstract readonly protocol: string;
  /** The codes that its protocol closes with. */
  abstract readonly closeCodes: CloseCodes;
  /** Makes it ready, for one by attaching it to delivery. The handshake is answered when this resolves, and refused when it rejects or takes too long. */
  abstract join(): Promise<void>;
  /** Ends every attachment, also those that {@link join} still waits for. Called once. */
  protected abstract leave(): void;
  /** The client's socket is open, and what is sent from now on goes to it. */
  protected abstract onOpen(): void;
  /** A message within the client's rate. */
  protected abstract onInbound(data: Buffer, isBinary: boolean): void;

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** Bytes that wait for the client. */
  get outboxBytes(): number {
    return this.#outbox.bytes;
  }

  /** The handshake is done: what arrived meanwhile and what is to come goes to this socket. */
  open(socket: ClientSocket, stream: Socket): void {
    socket.attach(stream, this);
    this.#socket = socket;
    this.#outbox.open(socket);
    this.#host.onOpened(this);
    this.onOpen();
  }

  /** The handshake came to nothing. Does nothing when the connection is open. */
  abandon(): void {
    if (this.#socket !== undefined) return;
    this.#depart();
    this.#host.onGone(this);
  }

  /** Sends what waits and the code. Cuts the socket if the client does not answer in time. */
  close({ code, reason }: CloseCode): void {
    if (!this.#leaveWith(code)) return;
    this.#outbox.end();
    this.#socket?.close(code, reason);
  }

  /** Closes with the protocol's code for the reason. What waits for a slow client is dropped. */
  closeFor(reason: CloseReason): void {
    if (reason === 'slow' && !this.#hasLeft) this.#outbox.discard();
    this.close(this.closeCodes[reason]);
  }

  /** Cuts the socket without another word. */
  terminate(): void {
    this.#socket?.terminate();
  }

  /** What pings the client in its protocol; undefined where WebSocket's own pings serve. */
  protected get protocolPing(): Buffer | undefined {
    return undefined;
  }

  ping(): void {
    this.#outbox.push(this.protocolPing ?? pingFrame);
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    if (!this.#admitInbound()) return;
    this.#host.onReceived(this);
    this.onInbound(data, isBinary);
  }

  onPing(data: Buffer): void {
    if (this.#admitInbound()) this.sendFrame(encodeFrame(Opcode.pong, data));
  }

  /** A pong that nobody asked for is a client's own heartbeat (RFC 6455, section 5.5.3) and changes nothing. */
  onPong(): void {
    if (this.#admitInbound() && this.protocolPing === undefined) this.pong();
  }

  /** Whoever ends it: what the client was sent before is not lost. */
  onClosing(): void {
    this.#outbox.end();
  }

  onFault(fault: Error): void {
    this.#leaveWith(codeOfProtocolFault(fault));
  }

  onClose(code: number): void {
    this.#leaveWith(code);
    this.#host.onGone(this);
  }

  /** The hot path: at most one encoding per publication and format, one reference per subscriber. */
  deliver(publication: Publication, format: FrameFormat): void {
    if (this.#hasLeft) return;
    const isFirst = publication.frames.length === 0;
    const frame = format.of(publication);
    if (frame === unencodable) this.closeFor('unencodable');
    else if (this.sendFrame(frame)) this.#host.onQueued(publication, isFirst);
    else this.#host.onDropped(publication);
  }

  /** Answers false, and closes the connection, when the client is too far behind. */
  sendFrame(frame: Buffer): boolean {
    if (this.#outbox.push(frame)) return true;
    this.closeFor('slow');
    return false;
  }

  protected startHeartbeat(): void {
    this.#heartbeat = new Heartbeat(this, this.#host.heartbeatTiming);
    this.#heartbeat.start();
  }

  /** The client answered a ping. Answers whether there was one to answer. */
  pong(): boolean {
    return this.#heartbeat?.pong() ?? false;
  }

  /** Resolves when a large message has left; undefined where there is none on its way. */
  caughtUp(): Promise<void> | undefined {
    return this.#outbox.caughtUp();
  }

  /** Takes nothing more from the client, apart from the rest of what has arrived already. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  #admitInbound(): boolean {
    if (this.#hasLeft) return false;
    const state = this.#host.inboundRate.next(this.#inboundState, performance.now());
    if (state === undefined) this.closeFor('tooManyRequests');
    else this.#inboundState = state;
    return state !== undefined;
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
    // Else the client's own close would not be read.
    if (this.#socket?.isPaused) this.#socket.resume();
    this.leave();
    return true;
  }
}
